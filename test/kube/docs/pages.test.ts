/** The how-to pages, followed to the letter on a real cluster: every block is run by a shell, in order. */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { provideTools } from '../../../local/tools.ts';
import { buildImages } from '../../../scripts/images.ts';
import { shellBlocks } from '../../docs/blocks.ts';
import { startRealCluster } from '../cluster.ts';

jest.setTimeout(240_000);
const root = join(import.meta.dirname, '../../..');
const stateDir = join(root, '.ballast');
const say = (line: string) => void process.stderr.write(`${line}\n`);

const images = await buildImages({ stateDir, say });
const cluster = await startRealCluster({
  nodes: 1,
  images: [images.operator.archive, images.inferencePod.archive],
  say,
});
afterAll(async () => {
  // A page has the reader write it.
  rmSync(join(root, 'values-inside.yaml'), { force: true });
  await cluster.stop();
}, 120_000);
const tools = await provideTools(stateDir);
const env = {
  ...process.env,
  KUBECONFIG: cluster.kubeconfigPath,
  PATH: [dirname(tools.kubectl), dirname(tools.helm), process.env.PATH].join(delimiter),
};

/** What a shell printed; rejects with its output when a command failed. */
async function shell(commands: string): Promise<string> {
  const running = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', commands], { cwd: root, env });
  running.child.stdin?.end();
  try {
    return (await running).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${commands}\n${stdout}${stderr}`);
  }
}

const page = (name: string) => shellBlocks(readFileSync(join(root, 'docs/how-to', `${name}.md`), 'utf8'));
const troubleshooting = page('troubleshooting');
const asWritten = (commands: string) =>
  commands
    .replaceAll('NAMESPACE', 'models')
    .replaceAll('NAME', 'wine')
    .replaceAll('model.onnx', 'samples/wine/model.onnx')
    .replaceAll('ballast-system:ballast', 'models:ballast');

function followed(name: string): void {
  describe(`docs/how-to/${name}.md`, () => {
    const blocks = page(name).filter(({ notRun }) => notRun === undefined);
    test('has blocks to run', () => {
      expect(blocks.length).toBeGreaterThan(0);
    });
    test.each(blocks)('block of line $line works', async ({ commands }) => {
      await shell(commands);
    });
  });
}

followed('install');

test('what the short way installed answers in both namespaces', async () => {
  const ready = await shell(
    'kubectl get md -A -o jsonpath=\'{range .items[*]}{.metadata.namespace}/{.metadata.name} {.status.summary.phase}{"\\n"}{end}\'',
  );
  expect(ready.trim().split('\n')).toEqual(['models/wine Ready', 'team-a/digits Ready']);
});

describe('docs/how-to/troubleshooting.md', () => {
  test('names the revision where one is asked for', async () => {
    const revision = await shell("kubectl -n models get md wine -o jsonpath='{.status.stable.revision}'");
    expect(revision).toMatch(/^[a-z0-9]{10}$/);
  });
  test.each([...new Set(troubleshooting.flatMap(({ commands }) => commands.split('\n')))])(
    '%s',
    async (command) => {
      const revision = await shell("kubectl -n models get md wine -o jsonpath='{.status.stable.revision}'");
      // A pod that never crashed has no log of a life before: kubectl then says so with an error.
      const optional = command.includes('--previous') ? ' || true' : '';
      await shell(`${asWritten(command).replaceAll('REVISION', revision)}${optional}`);
    },
  );
});

followed('high-availability');
followed('upgrade');
followed('uninstall');

test('nothing is left', async () => {
  const left = await shell(
    'kubectl get crd,clusterrole,clusterrolebinding -o name | grep -i ballast || true',
  );
  expect(left).toBe('');
});
