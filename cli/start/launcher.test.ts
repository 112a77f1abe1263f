/** A cluster must not outlive the npm that started it. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type Family, launcherGone, realFamily } from './launcher.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** This process below `sh` (pid 20) below npm (pid 10), or below npm alone. */
class Processes implements Family {
  ours = 20;
  readonly others = new Map([
    [20, { name: 'sh', parent: 10 }],
    [10, { name: 'npm start', parent: 5 }],
  ]);
  parent = () => this.ours;
  of = (pid: number) => this.others.get(pid);
}
const npm = { npm_lifecycle_event: 'start' };

async function isGone(env: NodeJS.ProcessEnv, family: Family, happens: () => void): Promise<boolean> {
  let gone = false;
  void launcherGone(env, family).then(() => {
    gone = true;
  });
  await jest.advanceTimersByTimeAsync(5_000);
  expect(gone).toBe(false);
  happens();
  await jest.advanceTimersByTimeAsync(1_000);
  return gone;
}

test('npm killed: the shell between has another parent', async () => {
  const family = new Processes();
  expect(await isGone(npm, family, () => family.others.set(20, { name: 'sh', parent: 1 }))).toBe(true);
});

test('npm ended by SIGTERM, which it hands to the shell: we have another parent', async () => {
  const family = new Processes();
  const happens = () => {
    family.ours = 1;
  };
  expect(await isGone(npm, family, happens)).toBe(true);
});

test('the shell from which npm was started may go: nohup means it', async () => {
  const family = new Processes();
  family.ours = 10;
  expect(await isGone(npm, family, () => family.others.set(10, { name: 'npm start', parent: 1 }))).toBe(
    false,
  );
});

test('without npm nobody is watched', async () => {
  const family = new Processes();
  const happens = () => {
    family.ours = 1;
  };
  expect(await isGone({}, family, happens)).toBe(false);
});

test('on Linux the machine tells name and parent', () => {
  const own = realFamily.of(process.pid);
  expect(own?.parent ?? realFamily.parent()).toBe(process.ppid);
  expect(realFamily.of(0)).toBeUndefined();
});
