/** `npm run kube:build`, `kube:up`, `kube:down` and `test:kube`: a real Kubernetes from Go modules, and the suites against it. */
import { buildBinary, cacheDir } from './build.ts';
import { down } from './down.ts';
import { test } from './suites.ts';
import { up } from './up.ts';

const say = (line: string) => console.log(line);
const [command = '', ...rest] = process.argv.slice(2);
const usage = 'usage: test/kube/main.ts build | up [--help] | down [--help] | test [jest arguments]';
/** Where the cluster of `kube:up` is known; the tests of these commands take another folder. */
const home = process.env.BALLAST_KUBE_HOME ?? cacheDir;

async function main(): Promise<number> {
  // `up` and `down` have their own.
  if (rest.includes('--help') && (command === 'build' || command === 'test')) {
    say(usage);
    return 0;
  }
  switch (command) {
    case 'build':
      say(buildBinary(say));
      return 0;
    case 'up':
      return up(rest, home, say);
    case 'down':
      return down(rest, home, say);
    case 'test':
      return test(rest, say);
    default:
      console.error(usage);
      return 2;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
