/** Finds Chromium, or installs Debian's where this is root on a Debian-like machine. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Where Chromium is; undefined when there is none. */
export const findChromium = (): string | undefined => places.find((path) => existsSync(path));

const isRoot = () => process.getuid?.() === 0;

/** Before the tests: as root, Chromium is brought from the distribution when it is missing. */
export default function prepare(): void {
  if (findChromium() !== undefined) return;
  if (isRoot() && existsSync('/usr/bin/apt-get')) {
    const apt = (...args: string[]) =>
      spawnSync('apt-get', args, {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
    apt('update');
    apt('install', '-y', '--no-install-recommends', 'chromium', 'fonts-liberation');
  }
  if (findChromium() === undefined)
    throw new Error(`no Chromium in ${places.join(', ')}: install it (Debian: apt-get install chromium)`);
}
