/**
 * `npm run test:security:gateway [-- --only TEXT --seconds N]`: attacks one model of a real gateway, from its clients' side and from its pods', and prints
 * what became of it, of the gateway's memory, and of the honest client of another model. Fails when a bound is missed.
 * `--only`: attacks whose names hold the text; `--seconds`: of each attack (2). About 10 minutes.
 * The gateway has a core of its own, everybody else shares the other: a load that takes both is no fault of the gateway.
 * `waited` is the share of the time in which the gateway was ready to run and others had the processors: from a tenth on its
 * latencies are not judged. Its longest turn of the event loop always is, by the CPU time: what others have of the processors
 * is not in it, and one turn that takes longer than life may be asked for keeps everybody waiting.
 */
import { request } from 'node:http';
import { connectGrpc } from '../../../inference-pod/grpc/testing/client.ts';
import { type Attack, attacks, count, type Statuses } from '../clients.ts';
import { memoryLimitMb, pause, startHonest } from '../ground.ts';
import { graceMs, liveBoundMs, miss, ms, option, problems, told } from '../report.ts';
import { startGatewayGround } from './ground.ts';
import { hopAttacks } from './hops.ts';
import { type HostilePod, hostilePods, poison, startHostilePod } from './pods.ts';
import { rpcAttacks } from './rpcs.ts';

const forMs = 1000 * Number(option('seconds') ?? 2);
const only = option('only');

/** A pod's attacks are a gateway's too; it may also say that the pods have enough to do, or that it keeps enough. */
const alsoAllowed = [0, 400, 408, 413, 429, 504];
/** Share of the time in which the gateway waits for a processor, up to which its latencies are judged. */
const mostWaited = 0.1;
/** CPU time of the gateway's longest turn: liveness is promised within as much. */
const mostTurnMs = liveBoundMs;
const body = '{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}';

const ground = await startGatewayGround();
const ask = { body, want: '"p"', everyMs: 10, httpPort: ground.ports.honest };
const honest = startHonest({ ...ask, host: ground.gateway.host, opsPort: ground.gateway.ops });
const control = startHonest({ ...ask, host: ground.idle.host, opsPort: ground.idle.ops });

/** Asks the model with the hostile pod, 16 at a time. */
const callers = async (pod: HostilePod, forMs: number): Promise<Statuses> => {
  const statuses: Statuses = {};
  const endMs = performance.now() + forMs;
  const port = ground.ports.hostile;
  const grpc = connectGrpc(port);
  const once = () =>
    pod.isGrpc === true
      ? grpc.call('ModelInfer', Buffer.alloc(10), { deadline: Date.now() + 3_000 }).then(({ code }) => code)
      : new Promise<number>((resolve) => {
          const sent = request(
            { host: ground.gateway.host, port, method: 'POST', path: '/v2/models/m/infer', agent: false },
            (response) => {
              let size = 0;
              const end = (status: number) => {
                response.destroy();
                resolve(status);
              };
              if (pod.isUnread === true) {
                setTimeout(() => end(response.statusCode ?? 0), forMs);
                return;
              }
              response.on('data', (chunk: Buffer) => {
                size += chunk.length;
                if (chunk.includes(poison)) miss(pod.name, 'a caller got what was not meant for it');
                if (size > 200_000) end(response.statusCode ?? 0);
              });
              response.on('end', () => resolve(response.statusCode ?? 0));
              response.on('error', () => resolve(0));
            },
          );
          sent.setTimeout(5_000, () => sent.destroy());
          sent.on('error', () => resolve(0));
          sent.end(body);
        });
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (performance.now() < endMs) count(statuses, await once());
    }),
  );
  grpc.close();
  return statuses;
};

/** One line of the table. */
const measure = async (name: string, allowed: readonly number[], run: () => Promise<Statuses>) => {
  // What the machine does with nobody attacking, right before: it is shared.
  await honest.seen();
  await pause(1000);
  const rest = await honest.seen();
  ground.gateway.peakMb();
  await control.seen();
  const cpuBefore = ground.gateway.cpuSeconds();
  const waitedBefore = ground.gateway.waitedMs();
  await ground.gateway.longestTurn();
  const fromMs = performance.now();
  const statuses = await run();
  // What it leaves to do is its own too: the gateway has seen the end of it when a question behind it is answered.
  await ground.load('attacked');
  await pause(200);
  const attacked = await honest.seen();
  const idle = await control.seen();
  const turn = await ground.gateway.longestTurn();
  const peak = ground.gateway.peakMb();
  const cpu = ground.gateway.cpuSeconds() - cpuBefore;
  const waited = (ground.gateway.waitedMs() - waitedBefore) / (performance.now() - fromMs);
  // Where others have the processors, times say nothing of the gateway.
  const isJudged = waited < mostWaited;
  await pause(300);
  const wrong = Object.keys(statuses).filter((status) => !allowed.includes(Number(status)));
  const failures = Object.entries(attacked.statuses).filter(([status]) => status !== '200');
  const usualMs = Math.max(rest.p99Ms, idle.p99Ms);
  const verdict = [
    wrong.length > 0 ? miss(name, `answered ${wrong.join(', ')}`) : '',
    peak > memoryLimitMb * 0.9 ? miss(name, `${Math.round(peak)} MB`) : '',
    isJudged && attacked.p99Ms > Math.max(2 * usualMs, usualMs + graceMs)
      ? miss(
          name,
          `p99 of the other model ${ms(attacked.p99Ms)}, ${ms(usualMs)} is usual; the gateway's longest turn ${ms(turn.wallMs)}`,
        )
      : '',
    turn.cpuMs > mostTurnMs ? miss(name, `a turn of ${ms(turn.cpuMs)} CPU time`) : '',
    isJudged &&
    (attacked.liveWorstMs > Math.max(liveBoundMs, 2 * idle.liveWorstMs) || attacked.liveFailed > 0)
      ? miss(name, `liveness ${ms(attacked.liveWorstMs)}`)
      : '',
    // Without a processor it cannot be in time.
    failures.some(([status]) => isJudged || status !== '504')
      ? miss(name, `the other model's client got ${told(attacked.statuses)}`)
      : '',
  ];
  console.log(
    `${name.padEnd(72)} ${(told(statuses) + verdict[0]).padEnd(44)} ${`${Math.round(peak)}, ${cpu.toFixed(2)}, ${Math.round(100 * waited)} %${verdict[1]}`.padEnd(26)} ${`${ms(attacked.p99Ms)} (${ms(rest.p99Ms)}, ${ms(idle.p99Ms)})${verdict[2]}`.padEnd(32)} ${`${ms(turn.cpuMs)} (${ms(turn.wallMs)})${verdict[3]}`.padEnd(26)} ${`${ms(attacked.liveWorstMs)} (${ms(idle.liveWorstMs)})${verdict[4]}`.padEnd(26)} ${failures.length === 0 ? 'none' : `${told(Object.fromEntries(failures))} of ${attacked.asked}`}${verdict[5]}`,
  );
  if (ground.gateway.exitCode() !== null)
    throw new Error(
      `the gateway ended with ${ground.gateway.exitCode()}:\n${ground.gateway.log().slice(-3000)}`,
    );
};

const heading = (what: string) =>
  console.log(
    `\n${what.padEnd(72)} ${'answered'.padEnd(44)} ${'gateway MB, CPU s, waited'.padEnd(26)} ${'other model’s p99 (rest, idle)'.padEnd(32)} ${'longest turn, CPU (wall)'.padEnd(26)} ${'liveness worst (idle)'.padEnd(26)} other model’s failures`,
  );
const wanted = (name: string) => only === undefined || name.includes(only);

try {
  heading('Clients of one model');
  const clients: readonly Attack[] = [
    ...attacks().map((attack) => ({ ...attack, allowed: [...attack.allowed, ...alsoAllowed] })),
    ...hopAttacks,
    ...rpcAttacks,
  ];
  for (const { name, allowed, run } of clients)
    if (wanted(name)) await measure(name, allowed, () => run(ground.attacked, forMs));
  // What was attacked still serves, with its pod in.
  const after = await ground.attacked.post(body);
  if (after.status !== 200) miss('the attacked model', `then ${after.status} ${after.text}`);
  heading('Pods of one model');
  for (const [turn, pod] of hostilePods.entries()) {
    if (!wanted(pod.name)) continue;
    const running = await startHostilePod(pod, turn);
    await ground.setHostilePods([running.address]);
    // Where a pod takes its time, the gateway may also say that more would be too late (429, RESOURCE_EXHAUSTED).
    await measure(pod.name, [...pod.allowed, pod.isGrpc === true ? 8 : 429], () => callers(pod, forMs));
    running.close();
  }
  await pause(1000);
  const { inFlight, queueLength } = await ground.load('attacked');
  if (inFlight !== 0 || queueLength !== 0) miss('the end', `${inFlight} in flight, ${queueLength} waiting`);
  const metrics = await (await fetch(`http://127.0.0.1:${ground.gateway.ops}/metrics`)).text();
  const mb = (name: string) =>
    Math.round(Number(new RegExp(`^ballast_gateway_${name} (\\S+)$`, 'm').exec(metrics)?.[1]) / 2 ** 20);
  console.log(
    `\ngateway at the end: ${Math.round(ground.gateway.rssMb())} MB, heap ${mb('nodejs_heap_size_used_bytes')} of ${mb('nodejs_heap_size_total_bytes')} MB, outside of it ${mb('nodejs_external_memory_bytes')} MB`,
  );
} finally {
  await Promise.all([honest.stop(), control.stop()]);
  await ground.close();
}
console.log(
  problems.length === 0
    ? '\nall bounds held'
    : `\n${problems.length} bounds missed:\n  ${problems.join('\n  ')}`,
);
process.exit(problems.length === 0 ? 0 : 1);
