/** Our own rules for GitHub workflows, beside those of actionlint: pinned actions, least rights, no text of strangers in a shell. */
import { load } from 'js-yaml';

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Record<string, unknown>;
  readonly env?: Record<string, unknown>;
}

export interface Job {
  readonly permissions?: Record<string, string> | string;
  readonly env?: Record<string, unknown>;
  readonly environment?: string;
  readonly 'runs-on'?: string;
  readonly 'timeout-minutes'?: number;
  readonly steps?: readonly Step[];
  readonly strategy?: { readonly matrix?: { readonly include?: readonly Record<string, string>[] } };
}

export interface Workflow {
  readonly on: Record<string, unknown>;
  readonly permissions?: Record<string, string> | string;
  readonly env?: Record<string, unknown>;
  readonly jobs: Record<string, Job>;
}

/** What a job may write, and nothing beyond: the rest is read or none. */
const writable = new Set(['contents', 'id-token', 'attestations', 'artifact-metadata']);

/** Parses a workflow. */
export const parseWorkflow = (text: string): Workflow => load(text) as Workflow;

function permissionProblems(where: string, permissions: Workflow['permissions']): string[] {
  if (permissions === undefined) return [];
  if (typeof permissions === 'string') return [`${where}: permissions '${permissions}' are not least rights`];
  return Object.entries(permissions)
    .filter(([name, right]) => right === 'write' && !(writable.has(name) && where !== 'workflow'))
    .map(([name]) => `${where}: nothing may write ${name}`);
}

const mentions = (values: Record<string, unknown> | undefined, pattern: RegExp) =>
  Object.values(values ?? {}).some((value) => pattern.test(String(value)));

function stepProblems(where: string, step: Step, text: string): string[] {
  const problems: string[] = [];
  const { uses, run } = step;
  if (uses !== undefined) {
    if (!/@[0-9a-f]{40}$/.test(uses)) problems.push(`${where}: ${uses} is not pinned by commit`);
    else if (!new RegExp(`${uses} # v\\d+\\.\\d+\\.\\d+$`, 'm').test(text))
      problems.push(`${where}: ${uses} needs its version as a comment`);
    if (uses.startsWith('actions/checkout@') && step.with?.['persist-credentials'] !== false)
      problems.push(`${where}: checkout leaves the token for every later step`);
  }
  if (run !== undefined) {
    // Whoever names a branch or a tag would write a part of the script.
    if (run.includes('${{')) problems.push(`${where}: an expression inside a script; hand it over by env`);
    if (/\b(curl|wget)\b[^\n]*\|/.test(run)) problems.push(`${where}: runs what it downloads`);
    if (mentions(step.env, /secrets\.|github\.token/) && /\becho\b/.test(run))
      problems.push(`${where}: echo in a step that holds a secret`);
  }
  if (mentions(step.with, /secrets\./)) problems.push(`${where}: a secret goes to an action of others`);
  return problems;
}

/** Every way in which a workflow breaks our rules, as a sentence. */
export function workflowProblems(text: string): string[] {
  const workflow = parseWorkflow(text);
  const problems = permissionProblems('workflow', workflow.permissions);
  if (workflow.permissions === undefined) problems.push('workflow: say permissions, the default is too much');
  for (const event of ['pull_request_target', 'workflow_run'])
    if (event in workflow.on) problems.push(`workflow: ${event} runs with rights on the code of strangers`);
  if (mentions(workflow.env, /secrets\.|github\.token/))
    problems.push('workflow: a secret in the env of all jobs');
  for (const [name, job] of Object.entries(workflow.jobs)) {
    problems.push(...permissionProblems(name, job.permissions));
    if (mentions(job.env, /secrets\.|github\.token/))
      problems.push(`${name}: a secret in the env of all steps`);
    if (job['timeout-minutes'] === undefined) problems.push(`${name}: no timeout`);
    if (/latest/.test(job['runs-on'] ?? 'latest'))
      problems.push(`${name}: the runner must be named by version`);
    const steps = job.steps ?? [];
    const usesSecret = steps.some((step) => mentions(step.env, /secrets\./));
    if (usesSecret && job.environment === undefined)
      problems.push(`${name}: secrets belong to an environment that somebody approves`);
    steps.forEach((step, index) => {
      problems.push(...stepProblems(`${name}, step ${index + 1}`, step, text));
    });
  }
  return problems;
}
