/** `npm run kube:down`: ends the cluster of `kube:up`, and removes what killed ones left on this machine. */
import { setTimeout as delay } from 'node:timers/promises';
import { forget, recall } from './background.ts';
import { runsDir } from './cluster.ts';
import { sweepFolders } from './control-plane.ts';
import { missingForNodes } from './packages.ts';
import { sweepRuns } from './runs.ts';

const help = `npm run kube:down

Ends the cluster that "npm run kube:up" started: its processes, mounts, network namespaces, links, routes and control
groups go. What clusters of killed processes left on this machine is removed too.`;

/** Runs the command; returns the exit code. */
export async function down(
  words: readonly string[],
  home: string,
  say: (line: string) => void,
): Promise<number> {
  if (words.includes('--help')) {
    say(help);
    return 0;
  }
  const cluster = recall(home);
  if (cluster?.runs === true) {
    process.kill(cluster.pid, 'SIGTERM');
    const deadlineMs = Date.now() + 60_000;
    while (recall(home)?.runs === true && Date.now() < deadlineMs) await delay(50);
    if (recall(home)?.runs === true) {
      say(`process ${cluster.pid} does not end: it is killed, and what it held is removed`);
      process.kill(cluster.pid, 'SIGKILL');
      while (recall(home)?.runs === true) await delay(50);
    }
    say('the cluster is gone');
  } else say(cluster === undefined ? 'no cluster runs' : 'the cluster had ended');
  forget(home);
  if (missingForNodes() === undefined)
    for (const name of await sweepRuns()) say(`removed what ${name} left, whose owner is dead`);
  sweepFolders(runsDir);
  return 0;
}
