/** Checks the rooms of the house over the import statements: who may import whom, no cycles, files under 400 lines. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const maxLines = 400;

/** Longest matching prefix wins. `allow` lists rooms beside the room itself; '*' allows every room. */
const rooms: Record<string, { allow: string[]; pure?: boolean }> = {
  crds: { allow: [] },
  kube: { allow: [] },
  protocol: { allow: ['crds'], pure: true },
  stats: { allow: [], pure: true },
  crowd: { allow: [] },
  queue: { allow: [] },
  // kube/objects.ts holds nothing but types, and desired/ builds such objects.
  'operator/model': { allow: ['crds', 'stats', 'kube/objects.ts'], pure: true },
  'operator/probe': { allow: ['crds', 'stats', 'operator/model'] },
  'operator/controllers': { allow: ['crds', 'kube', 'stats', 'operator'] },
  'operator/http': { allow: ['crds', 'operator/model', 'kube/probed-port.ts'] },
  operator: { allow: ['crds', 'kube', 'stats', 'operator'] },
  'inference-pod/monitor': { allow: ['crds', 'stats'], pure: true },
  'inference-pod': { allow: ['crds', 'crowd', 'protocol', 'queue', 'stats', 'inference-pod'] },
  gateway: { allow: ['crds', 'crowd', 'kube', 'protocol', 'queue', 'stats'] },
  simulator: { allow: ['operator/model', 'stats', 'crds'] },
  local: { allow: ['kube', 'crds'] },
  cli: { allow: ['crds', 'kube', 'protocol', 'simulator', 'operator/model', 'local', 'stats'] },
  bench: { allow: ['*'] },
  test: { allow: ['*'] },
  samples: { allow: ['*'] },
  scripts: { allow: ['*'] },
};

const packages: [pattern: RegExp, allowed: RegExp][] = [
  [/^@kubernetes\/client-node/, /^kube\/auth\.ts$/],
  [/^onnxruntime-node/, /^inference-pod\/runner\//],
  [/^express$/, /^(operator\/http|inference-pod\/http|gateway|cli)\//],
  [/^@marcbachmann\/cel-js/, /^(crds|local)\//],
];
const impure = /^(node:(?!crypto$|buffer$|util$|zlib$)|winston|prom-client|undici|express)/;

const roomOf = (file: string) =>
  Object.keys(rooms)
    .filter((room) => file === room || file.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];
const isTest = (file: string) =>
  /\.test\.ts$|(^|\/)testing\//.test(file) || file.startsWith('test/') || file.startsWith('bench/');

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));
const problems: string[] = [];
const graph = new Map<string, string[]>();

for (const file of files) {
  const text = readFileSync(join(root, file), 'utf8');
  const lines = text.split('\n').length - 1;
  if (lines > maxLines && !file.includes('/generated/'))
    problems.push(`${file}: ${lines} lines, the limit is ${maxLines}: split it by job`);
  const room = roomOf(file);
  if (room === undefined) {
    problems.push(`${file}: no room of scripts/layers.ts holds this file`);
    continue;
  }
  const edges: string[] = [];
  for (const match of text.matchAll(
    /^\s*(?:import|export)\s(?:[^'";]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm,
  )) {
    const target = match[1] ?? match[2] ?? '';
    if (!target.startsWith('.')) {
      for (const [pattern, allowed] of packages) {
        if (pattern.test(target) && !allowed.test(file) && !isTest(file))
          problems.push(`${file} imports ${target}: only ${allowed.source} may`);
      }
      if (rooms[room]?.pure && !isTest(file) && impure.test(target))
        problems.push(`${file} imports ${target}: ${room} is pure`);
      continue;
    }
    const to = relative(root, join(root, dirname(file), target));
    if (to.endsWith('.ts')) edges.push(to);
    const toRoom = roomOf(to);
    const allow = rooms[room]?.allow ?? [];
    const within =
      toRoom === room ||
      allow.includes('*') ||
      allow.some((name) => to === name || to.startsWith(`${name}/`));
    if (!within && !isTest(file))
      problems.push(`${file} imports ${to}: ${room} may import ${allow.join(', ') || 'nothing'}`);
    if (isTest(to) && !isTest(file)) problems.push(`${file} imports the test file ${to}`);
  }
  graph.set(file, edges);
  if (!isTest(file)) {
    if (
      /\bprocess\.env\b/.test(text) &&
      !/(^|\/)(main|config)\.ts$/.test(file) &&
      !file.startsWith('scripts/') &&
      !file.startsWith('samples/')
    )
      problems.push(`${file} reads process.env: only main.ts and config.ts may`);
    if (/\bprocess\.exit\(/.test(text) && !/(^|\/)main\.ts$/.test(file))
      problems.push(`${file} calls process.exit: only main.ts may`);
    if (rooms[room]?.pure && /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bMath\.random\(/.test(text))
      problems.push(`${file}: ${room} is pure, the clock and chance are data`);
  }
}

const state = new Map<string, 'open' | 'done'>();
const visit = (file: string, path: string[]) => {
  if (state.get(file) === 'done') return;
  if (state.get(file) === 'open') {
    problems.push(`cycle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
    return;
  }
  state.set(file, 'open');
  for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
  state.set(file, 'done');
};
for (const file of files) visit(file, []);

for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
