/** Closed-loop load by wrk, a client in C: it costs less than any server here. */
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Exchange } from './exchange.ts';
import { cores } from './server-process.ts';
import { must } from './venv.ts';

export interface ClosedLoopFigures {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests that were not answered 2xx. */
  readonly failed: number;
  readonly sent: number;
}

/** Installs wrk from Debian's packages where it is missing. */
export function provideWrk(say: (line: string) => void): void {
  if (spawnSync('wrk', ['--version']).error === undefined) return;
  if (process.getuid?.() !== 0) throw new Error('wrk is missing: install it (apt-get install wrk)');
  say('installing wrk');
  must('apt-get', ['update', '-qq']);
  must('apt-get', ['install', '-qq', '-y', 'wrk']);
}

const text = (value: string) => JSON.stringify(value).replaceAll('\\u', '\\x');

/** wrk runs this: it sends the body from a file, and prints its figures as one line of JSON. */
const script = (headers: Readonly<Record<string, string>>, bodyPath: string) => `
wrk.method = "POST"
local file = io.open(${text(bodyPath)}, "rb")
wrk.body = file:read("*a")
file:close()
${Object.entries(headers)
  .map(([name, value]) => `wrk.headers[${text(name)}] = ${text(value)}`)
  .join('\n')}
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"us":%d,"p50":%d,"p99":%d,"failed":%d}\\n', summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
`;

/** Sends one request after the other on each connection for some seconds. */
export async function closedLoop(
  exchange: Exchange,
  connections: number,
  seconds: number,
  directory: string,
): Promise<ClosedLoopFigures> {
  const bodyPath = join(directory, 'body');
  const scriptPath = join(directory, 'load.lua');
  writeFileSync(bodyPath, exchange.body);
  writeFileSync(scriptPath, script(exchange.headers, bodyPath));
  const load = [
    `-t1`,
    `-c${connections}`,
    `-d${seconds}s`,
    '--timeout',
    '30s',
    '-s',
    scriptPath,
    exchange.url,
  ];
  const child = spawn('taskset', ['-c', cores.client, 'wrk', ...load], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout) output += String(chunk);
  const line = output.split('\n').find((one) => one.startsWith('{'));
  if (line === undefined) throw new Error(`wrk said: ${output}`);
  const said = JSON.parse(line) as Record<'requests' | 'us' | 'p50' | 'p99' | 'failed', number>;
  return {
    requestsPerSecond: (said.requests - said.failed) / (said.us / 1e6),
    p50Ms: said.p50 / 1_000,
    p99Ms: said.p99 / 1_000,
    failed: said.failed,
    sent: said.requests,
  };
}
