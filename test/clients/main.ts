/** `npm run test:clients`: clients that others wrote, against real pods; closes with one plain line, `N passed, N failed`. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { clientsPython } from './environment.ts';
import { startClientPods } from './pods.ts';

const root = join(import.meta.dirname, '../..');
const suites = process.argv.slice(2);
const python = clientsPython(join(root, '.ballast'));
const pods = await startClientPods();
const child = spawn(python, ['-W', 'ignore', join(import.meta.dirname, 'run.py'), ...suites], {
  env: {
    ...process.env,
    BALLAST_CLIENT_PODS: JSON.stringify(pods.served),
    PYTHONDONTWRITEBYTECODE: '1',
    // Nothing here goes through a proxy.
    NO_PROXY: '*',
    no_proxy: '*',
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));

let passed = 0;
let failed = 0;
let rest = '';
child.stdout.on('data', (chunk: Buffer) => {
  const lines = (rest + chunk.toString()).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) {
    if (line.startsWith('ok ')) passed += 1;
    if (line.startsWith('not ok ')) failed += 1;
    console.log(line);
  }
});
const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
if (code !== 0) {
  failed += 1;
  console.log(`not ok the suites ended with ${code}`);
}
// Whatever clients sent, every pod is there until it is told to go, and then goes by itself.
if (await pods.stop()) {
  passed += 1;
  console.log('ok every pod drained and ended with code 0');
} else {
  failed += 1;
  console.log('not ok a pod did not end with code 0');
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
