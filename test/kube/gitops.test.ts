/** GitOps tools and a real control plane; kstatus itself, in Go, judges each state beside Argo CD's script. */
import { spawnSync } from 'node:child_process';
import { gitopsCases } from '../gitops/cases.ts';
import { buildTool } from './build.ts';

const binary = buildTool('kstatus', (line) => console.error(line));

function kstatus(object: unknown): { status: string; message: string } {
  const run = spawnSync(binary, { input: JSON.stringify(object), encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`kstatus: ${run.error?.message ?? run.stderr}`);
  return JSON.parse(run.stdout) as { status: string; message: string };
}

await gitopsCases({ version: '35', helmMajor: 4, kstatus });
