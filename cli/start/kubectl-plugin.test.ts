import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { writeKubectlPlugin } from './kubectl-plugin.ts';

test('the plugin hands its words to the command line of the checkout, wherever that lies', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-plugin-'));
  try {
    const main = join(folder, "it's $HOME", 'cli', 'main.ts');
    mkdirSync(dirname(main), { recursive: true });
    writeFileSync(main, 'console.log(JSON.stringify(process.argv.slice(2) satisfies string[]));');
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    const plugin = await writeKubectlPlugin(bin, join(folder, "it's $HOME"));
    expect(readdirSync(bin)).toEqual(['kubectl-ballast']);
    const said = execFileSync(plugin, ['why', 'a b', '-n', '$x'], { encoding: 'utf8' });
    expect(JSON.parse(said)).toEqual(['why', 'a b', '-n', '$x']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
