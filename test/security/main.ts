/**
 * `npm run test:security [-- --only TEXT --seconds N --models none]`: attacks a real pod, prints what became of it and of an
 * honest client beside it, and fails when a bound is missed. `--only`: attacks whose names hold the text; `--seconds`: of each
 * attack (3); `--models none`: leaves the model files out. About 5 minutes; latencies mean something on a quiet machine only.
 */
import { classifier } from '../../inference-pod/testing/models.ts';
import { attacks } from './clients.ts';
import { type Ground, type Honest, memoryLimitMb, pause, startGround, startHonest } from './ground.ts';
import { serveLarge } from './large.ts';
import { modelAttacks } from './model-attacks.ts';
import { graceMs, liveBoundMs, miss, ms, option, problems, told } from './report.ts';

const forMs = 1000 * Number(option('seconds') ?? 3);
const only = option('only');
const wanted = (name: string) => only === undefined || name.includes(only);

const good = '{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}';

const beside = async (ground: Ground, honest: Honest, control: Honest) => {
  console.log(
    `\n${'Clients'.padEnd(60)} ${'answered'.padEnd(30)} ${'pod, MB'.padEnd(12)} ${'others’ p99 (at rest, idle pod)'.padEnd(32)} ${'liveness worst (idle pod)'.padEnd(26)} others’ failures`,
  );
  for (const { name, allowed, run } of attacks()) {
    if (!wanted(name)) continue;
    // What the machine does with nobody attacking, right before: it is shared.
    await honest.seen();
    await pause(1500);
    const rest = await honest.seen();
    ground.peakMb();
    await control.seen();
    const statuses = await run(ground, forMs);
    const attacked = await honest.seen();
    const idle = await control.seen();
    const peak = ground.peakMb();
    await pause(300);
    const wrong = Object.keys(statuses).filter((status) => !allowed.includes(Number(status)));
    const failures = Object.entries(attacked.statuses).filter(([status]) => status !== '200');
    const usualMs = Math.max(rest.p99Ms, idle.p99Ms);
    const p99Bound = Math.max(2 * usualMs, usualMs + graceMs);
    const liveBound = Math.max(liveBoundMs, 2 * idle.liveWorstMs);
    const verdict = [
      wrong.length > 0 ? miss(name, `answered ${wrong.join(', ')}`) : '',
      peak > memoryLimitMb * 0.9 ? miss(name, `${peak} MB`) : '',
      attacked.p99Ms > p99Bound
        ? miss(name, `p99 of others ${ms(attacked.p99Ms)}, ${ms(usualMs)} is usual`)
        : '',
      attacked.liveWorstMs > liveBound || attacked.liveFailed > 0
        ? miss(name, `liveness ${ms(attacked.liveWorstMs)}`)
        : '',
      failures.length > 0 ? miss(name, `others got ${told(attacked.statuses)}`) : '',
    ];
    console.log(
      `${name.padEnd(60)} ${(told(statuses) + verdict[0]).padEnd(30)} ${`${Math.round(peak)}${verdict[1]}`.padEnd(12)} ${`${ms(attacked.p99Ms)} (${ms(rest.p99Ms)}, ${ms(idle.p99Ms)})${verdict[2]}`.padEnd(32)} ${`${ms(attacked.liveWorstMs)} (${ms(idle.liveWorstMs)})${verdict[3]}`.padEnd(26)} ${failures.length === 0 ? 'none' : `${told(Object.fromEntries(failures))} of ${attacked.asked}`}${verdict[4]}`,
    );
  }
};

const [ground, idle] = await Promise.all([startGround(classifier()), startGround(classifier())]);
const ask = { body: good, want: '"p"', everyMs: 10 };
const honest = startHonest({ httpPort: ground.http, opsPort: ground.ops, ...ask });
const control = startHonest({ httpPort: idle.http, opsPort: idle.ops, ...ask });
try {
  await beside(ground, honest, control);
  if (ground.pod.child.exitCode !== null || ground.pod.child.signalCode !== null)
    miss('the pod', `ended:\n${ground.pod.log().slice(-1000)}`);
} finally {
  await Promise.all([honest.stop(), control.stop()]);
  await Promise.all([ground.close(), idle.close()]);
}
if (option('models') !== 'none') {
  console.log(`\n${'Model files'.padEnd(60)} ${'bytes'.padEnd(8)} what became of the pod`);
  for (const { name, run } of modelAttacks) {
    if (!wanted(name)) continue;
    const { bytes, text, problem } = await run();
    console.log(
      `${name.padEnd(60)} ${String(bytes).padEnd(8)} ${text}${problem === undefined ? '' : miss(name, problem)}`,
    );
  }
}
if (option('models') !== 'none' && wanted('large')) {
  const large = await serveLarge();
  const most = Math.max(large.fetchPeakMb, large.servePeakMb);
  console.log(
    `\nA model with ${large.gigabytes.toFixed(1)} GB of weights beside it: fetched and checked in ${large.fetchSeconds.toFixed(1)} s with ${Math.round(large.fetchPeakMb)} MB, ready after ${large.readySeconds.toFixed(1)} s with ${Math.round(large.servePeakMb)} MB, its last row is ${large.answer}${most > 400 || large.answer !== '[1.5,2.5]' ? miss('large', `${most} MB, ${large.answer}`) : ''}`,
  );
}
console.log(
  problems.length === 0
    ? '\nall bounds held'
    : `\n${problems.length} bounds missed:\n  ${problems.join('\n  ')}`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
