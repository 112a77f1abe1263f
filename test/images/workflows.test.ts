/** The workflows keep our rules, and release what the Dockerfiles and the chart are about. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { imageBundles } from '../../local/bundles.ts';
import { parseWorkflow, workflowProblems } from './workflow-rules.ts';

/** An expression of GitHub's. */
const expression = (text: string) => `\${{ ${text} }}`;
const root = join(import.meta.dirname, '..', '..');
const textOf = (path: string) => readFileSync(join(root, path), 'utf8');
const release = parseWorkflow(textOf('.github/workflows/release.yml'));

test.each(globSync('.github/workflows/*.yml', { cwd: root }))('%s keeps the rules', (path) => {
  expect(workflowProblems(textOf(path))).toEqual([]);
});

test('every script of theirs is bash', () => {
  const scripts = globSync('.github/workflows/*.yml', { cwd: root }).flatMap((path) =>
    Object.values(parseWorkflow(textOf(path)).jobs).flatMap((job) =>
      (job.steps ?? []).flatMap(({ run }) => (run === undefined ? [] : [run])),
    ),
  );
  expect(scripts.length).toBeGreaterThan(10);
  for (const input of scripts)
    expect([input, spawnSync('bash', ['-n'], { input, encoding: 'utf8' }).stderr]).toEqual([input, '']);
});

test('a release builds each image for both architectures from its Dockerfile on bases pinned by digest', () => {
  const job = release.jobs.images;
  const matrix = job?.strategy?.matrix?.include ?? [];
  expect(matrix.map(({ image }) => image).sort()).toEqual(Object.keys(imageBundles).sort());
  for (const { dockerfile } of matrix) expect(existsSync(join(root, dockerfile ?? ''))).toBe(true);
  const build = job?.steps?.find(({ run }) => run?.includes('buildah bud'));
  expect(build?.run).toContain('--platform linux/amd64,linux/arm64');
  expect(build?.env?.BASE_IMAGE).toBe(expression('steps.bases.outputs.base'));
  const declared = [...textOf('Dockerfile.operator').matchAll(/^ARG (\w+)/gm)].map((match) => match[1]);
  for (const name of declared.filter((argument) => argument !== 'TARGETARCH'))
    expect(build?.run).toContain(`--build-arg ${name}=`);
});

test('a release signs by digest, attests provenance and contents, and only the last job may write', () => {
  const steps = release.jobs.images?.steps ?? [];
  expect(steps.find(({ run }) => run?.includes('cosign sign'))?.run).toContain('@$DIGEST');
  const attestations = steps.filter(({ uses }) => uses?.startsWith('actions/attest@'));
  expect(attestations.map((step) => 'sbom-path' in (step.with ?? {}))).toEqual([false, true]);
  const writers = Object.entries(release.jobs).filter(
    ([, { permissions }]) => typeof permissions === 'object' && permissions.contents === 'write',
  );
  expect(writers.map(([name]) => name)).toEqual(['release']);
  expect(release.jobs.release?.steps?.some((step) => step.run?.includes('dist/install.yaml'))).toBe(true);
});

test('it pushes to where the chart pulls from', () => {
  const values = load(textOf('charts/ballast/values.yaml')) as {
    image: { registry: string; repository: string };
    inferencePod: { image: { registry: string; repository: string } };
  };
  const { REGISTRY, ORGANISATION } = release.env ?? {};
  const pulled = [values.image, values.inferencePod.image].map(
    ({ registry, repository }) => `${registry}/${repository}`,
  );
  expect(pulled).toEqual(Object.keys(imageBundles).map((image) => `${REGISTRY}/${ORGANISATION}/${image}`));
});

describe('a workflow that breaks a rule is told so', () => {
  const sha = 'a'.repeat(40);
  const good = `on: { push: {} }
permissions: {}
jobs:
  a:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    environment: release
    permissions: { contents: read }
    steps:
      - uses: actions/checkout@${sha} # v1.2.3
        with: { persist-credentials: false }
      - run: printf '%s' "$TOKEN" | login --password-stdin
        env:
          TOKEN: \${{ secrets.TOKEN }}
`;
  test.each([
    ['a tag instead of a commit', good.replace(`${sha} # v1.2.3`, 'v4'), 'is not pinned by commit'],
    ['a commit without its version', good.replace(' # v1.2.3', ''), 'needs its version'],
    ['a token that stays', good.replace('false', 'true'), 'leaves the token'],
    ['no permissions', good.replace('permissions: {}\n', ''), 'the default is too much'],
    ['all permissions', good.replace('permissions: {}', 'permissions: write-all'), "'write-all'"],
    [
      'rights for all jobs',
      good.replace('permissions: {}', 'permissions: { contents: write }'),
      'write contents',
    ],
    ['a right that nothing needs', good.replace('contents: read', 'packages: write'), 'write packages'],
    [
      'an expression in a script',
      good.replace('"$TOKEN"', `"${expression('github.ref_name')}"`),
      'hand it over by env',
    ],
    ['code of strangers', good.replace('push: {}', 'pull_request_target: {}'), 'code of strangers'],
    [
      'a secret for all jobs',
      good.replace('jobs:', `env: { A: "${expression('secrets.A')}" }\njobs:`),
      'env of all jobs',
    ],
    [
      'a secret for all steps',
      good.replace('    steps:', `    env: { A: "${expression('secrets.A')}" }\n    steps:`),
      'env of all steps',
    ],
    [
      'a secret for an action',
      good.replace('false }', `false, token: "${expression('secrets.A')}" }`),
      'action of others',
    ],
    ['a secret that is printed', good.replace("printf '%s'", 'echo'), 'echo in a step'],
    ['a secret that nobody approves', good.replace('    environment: release\n', ''), 'somebody approves'],
    ['no end', good.replace('    timeout-minutes: 5\n', ''), 'no timeout'],
    ['any runner', good.replace('ubuntu-24.04', 'ubuntu-latest'), 'named by version'],
    ['a downloaded script', good.replace('printf', 'curl -s https://a | sh; printf'), 'what it downloads'],
  ])('%s', (_name, text, said) => {
    expect(workflowProblems(good)).toEqual([]);
    expect(workflowProblems(text)).toEqual([expect.stringContaining(said)]);
  });
});
