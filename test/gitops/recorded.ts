/** ModelDeployments as the operator left them in each phase: recorded from a run, for judges that need no cluster. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const path = join(import.meta.dirname, 'recorded.json');

/** What Argo CD and kstatus are to make of each phase. */
const health: Readonly<Record<string, { argo: string; kstatus: string }>> = {
  Unseen: { argo: 'Progressing', kstatus: 'InProgress' },
  Pending: { argo: 'Progressing', kstatus: 'InProgress' },
  RollingOut: { argo: 'Progressing', kstatus: 'InProgress' },
  Ready: { argo: 'Healthy', kstatus: 'Current' },
  Degraded: { argo: 'Degraded', kstatus: 'Failed' },
  Failed: { argo: 'Degraded', kstatus: 'Failed' },
  // To kstatus, False is never final for Ready, and a deployment that is turned off is not Ready.
  Suspended: { argo: 'Suspended', kstatus: 'InProgress' },
  Deleting: { argo: 'Progressing', kstatus: 'Terminating' },
};

/** The verdicts on a phase. */
export function expectedHealth(phase: string): { argo: string; kstatus: string } {
  const found = health[phase];
  if (found === undefined) throw new Error(`no verdict is known for ${phase}`);
  return found;
}

/** Every phase with the object that was recorded in it. */
export function recordedPhases(): [phase: string, object: Record<string, unknown>][] {
  const recorded = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, unknown>>;
  return Object.keys(health).map((phase) => [phase, recorded[phase] ?? {}]);
}

/** Keeps the object of a phase where GITOPS_RECORD=1 asks for it. */
export function record(phase: string, object: object): void {
  if (process.env.GITOPS_RECORD !== '1') return;
  const all = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>) : {};
  const { metadata, ...rest } = object as { metadata: Record<string, unknown> };
  const { managedFields: _, ...kept } = metadata;
  all[phase] = { ...rest, metadata: kept };
  writeFileSync(path, `${JSON.stringify(all, null, 2)}\n`);
}
