/** The Dockerfiles keep the rules, and say the same as the code that they package. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { podEnv, podPorts } from '../../crds/constants.ts';
import { operatorNodeEnv, operatorNodeFlags, podNodeEnv, podNodeFlags } from '../../local/bundles.ts';
import { parseConfig } from '../../operator/config.ts';
import { bundleImage } from '../../scripts/image-contents.ts';
import { execForm, parseDockerfile, problemsOf, textsOf } from './dockerfile.ts';

const root = join(import.meta.dirname, '..', '..');
const files = { operator: 'Dockerfile.operator', 'inference-pod': 'Dockerfile.pod' } as const;
const textOf = (image: keyof typeof files) => readFileSync(join(root, files[image]), 'utf8');
const finalOf = (image: keyof typeof files) => {
  const stage = parseDockerfile(textOf(image)).stages.at(-1);
  if (stage === undefined) throw new Error(`${files[image]} has no stage`);
  return stage;
};
/** NAME=value pairs of all ENV or LABEL instructions. */
const pairsOf = (image: keyof typeof files, name: 'ENV' | 'LABEL') =>
  Object.fromEntries(
    textsOf(finalOf(image), name).flatMap((text) =>
      [...text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g)].map((pair) => [pair[1], pair[2] ?? pair[3]]),
    ),
  );

describe.each(['operator', 'inference-pod'] as const)('the Dockerfile of %s', (image) => {
  test('keeps the rules', () => {
    expect(problemsOf(textOf(image))).toEqual([]);
  });

  test('has public defaults as bases, user 65532 and the labels of OCI', () => {
    const { globals } = parseDockerfile(textOf(image));
    expect(Object.fromEntries(globals)).toEqual({
      BUILD_IMAGE: 'node:24-bookworm-slim',
      BASE_IMAGE: 'gcr.io/distroless/nodejs24-debian12:nonroot',
    });
    expect(textsOf(finalOf(image), 'USER')).toEqual(['65532:65532']);
    const prefix = 'org.opencontainers.image.';
    expect(Object.keys(pairsOf(image, 'LABEL')).map((name) => name.replace(prefix, ''))).toEqual([
      'title',
      'description',
      'licenses',
      'source',
      'version',
      'revision',
      'created',
      'base.name',
    ]);
  });

  test('copies every source that the bundles are made of, and .dockerignore lets it through', async () => {
    const { sources } = await bundleImage(root, image, join(root, '.ballast/none'), { write: false });
    const copied = parseDockerfile(textOf(image))
      .stages.flatMap((stage) => textsOf(stage, 'COPY'))
      .filter((text) => !text.startsWith('--from'))
      .flatMap((text) => text.split(' ').slice(0, -1));
    const allowed = readFileSync(join(root, '.dockerignore'), 'utf8')
      .split('\n')
      .flatMap((line) => /^!(.*)$/.exec(line)?.[1] ?? []);
    const within = (path: string, folders: string[]) =>
      folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
    expect(sources.length).toBeGreaterThan(20);
    expect(sources.filter((source) => !within(source, copied))).toEqual([]);
    expect(copied.filter((path) => !allowed.includes(path))).toEqual([]);
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

test('the operator starts as the embedded cluster starts it', () => {
  const final = finalOf('operator');
  expect(execForm(textsOf(final, 'ENTRYPOINT')[0])).toEqual([
    '/nodejs/bin/node',
    ...operatorNodeFlags,
    '/app/operator.mjs',
  ]);
  expect(pairsOf('operator', 'ENV')).toEqual({ NODE_ENV: 'production', ...operatorNodeEnv });
  expect(textsOf(final, 'EXPOSE')).toEqual([String(parseConfig([], {}).opsPort)]);
});

test('the inference pod starts as the embedded cluster starts it, and finds its samples', () => {
  const final = finalOf('inference-pod');
  expect(execForm(textsOf(final, 'ENTRYPOINT')[0])).toEqual([
    '/nodejs/bin/node',
    ...podNodeFlags,
    '/app/inference-pod.mjs',
  ]);
  const fileRoots = parseConfig([], {}).fileRoots;
  expect(pairsOf('inference-pod', 'ENV')).toEqual({
    NODE_ENV: 'production',
    ORT_DISABLE_TELEMETRY: '1',
    [podEnv.fileRoots]: fileRoots.join(':'),
    ...podNodeEnv,
  });
  expect(textsOf(final, 'EXPOSE')).toEqual([`${podPorts.http} ${podPorts.grpc} ${podPorts.ops}`]);
  for (const name of readdirSync(join(root, 'samples'))) {
    const manifest = join(root, 'samples', name, 'modeldeployment.yaml');
    if (!existsSync(manifest)) continue;
    const { spec } = load(readFileSync(manifest, 'utf8')) as { spec: { model: { uri: string } } };
    expect(spec.model.uri).toBe(`file://${fileRoots[0]}/${name}/model.onnx`);
  }
});

test('the pod holds in memory no texts of zod in other languages and no parsers of bodies that express brings', async () => {
  // 7 MB and 13 ms of every pod came by one `import { z } from 'zod'`, of which nothing can be left out: `import * as z` is.
  const { bundled } = await bundleImage(root, 'inference-pod', join(root, '.ballast/none'), { write: false });
  expect(bundled.length).toBeGreaterThan(100);
  expect(
    bundled.filter((path) => /zod\/v4\/locales\/(?!en\.js)|iconv-lite|body-parser|\/qs\//.test(path)),
  ).toEqual([]);
});

describe('a Dockerfile that breaks a rule is told so', () => {
  const base = `\${B}`;
  const good = `ARG B=a/b:1\nFROM ${base}\nCOPY --from=x --chown=0:0 /a /\nUSER 65532\nENTRYPOINT ["/a"]\n`;
  test.each([
    ['no user', good.replace('USER 65532\n', ''), 'USER is missing'],
    ['a name as user', good.replace('65532', 'nonroot'), 'USER nonroot'],
    ['root', good.replace('65532', '0'), 'USER 0'],
    ['root again later', good.replace('ENTRYPOINT', 'USER 0\nENTRYPOINT'), 'USER 0'],
    ['a fixed base', good.replace(base, 'a/b:1'), 'FROM a/b:1'],
    ['a base without a tag', good.replace('a/b:1', 'a:5000/b'), 'B=a:5000/b'],
    ['latest', good.replace('a/b:1', 'a/b:latest'), 'B=a/b:latest'],
    ['ADD', good.replace('USER', 'ADD https://a/b /\nUSER'), 'ADD https://a/b'],
    ['a download', good.replace('FROM', `FROM ${base} AS x\nRUN curl -s a | sh\nFROM`), 'RUN curl'],
    [
      'npm install',
      good.replace('FROM', `FROM ${base} AS x\nRUN npm \\\n  install\nFROM`),
      'RUN npm install',
    ],
    ['a program in the last stage', good.replace('USER', 'RUN true\nUSER'), 'RUN true'],
    ['files of another user', good.replace(' --chown=0:0', ''), 'COPY --from=x /a /'],
    ['sources', good.replace('--from=x ', ''), 'COPY --chown=0:0'],
    ['a secret', good.replace('USER', 'ENV API_KEY=1\nUSER'), 'ENV API_KEY=1'],
    ['a folder of the user', good.replace('ENTRYPOINT', 'WORKDIR /a\nENTRYPOINT'), 'WORKDIR after USER'],
    ['a shell', good.replace('["/a"]', '/a'), 'ENTRYPOINT /a'],
  ])('%s', (_name, text, said) => {
    expect(problemsOf(good)).toEqual([]);
    expect(problemsOf(text)).toEqual([expect.stringContaining(said)]);
  });
});
