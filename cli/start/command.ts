/** `ballast start`: embedded cluster, operator and one model on this machine, with every step told as it happens. */

import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { messageOf } from '../../kube/log.ts';
import { optionErrorText } from '../option-error.ts';
import { launcherGone } from './launcher.ts';
import { createNarrator, type Narrator } from './narrator.ts';
import { parseStartOptions, type StartOptions, startHelp } from './options.ts';
import { runSession } from './session.ts';

const checkout = join(import.meta.dirname, '..', '..');

/** Reads the options; a string is what to say to the user instead of starting. */
export function readOptions(args: string[], cwd: string): StartOptions | string {
  try {
    const options = parseStartOptions(args);
    if (options.modelFile === undefined) return options;
    const modelFile = isAbsolute(options.modelFile) ? options.modelFile : resolve(cwd, options.modelFile);
    const found = statSync(modelFile, { throwIfNoEntry: false });
    if (found === undefined) return `there is no file ${modelFile}`;
    if (!found.isFile()) return `${modelFile} is a folder: name the .onnx file in it`;
    return { ...options, modelFile };
  } catch (error) {
    if (error instanceof TypeError) return optionErrorText(error);
    throw error;
  }
}

/** A signal once, as a promise; the second one is left to Node, which ends the process at once. */
function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => done(signal));
  });
}

/** Runs until Ctrl-C; resolves to the exit code. */
export async function startCommand(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  // npm runs scripts in the checkout; a relative path is relative to where the user typed the command.
  const options = readOptions(args, env.INIT_CWD ?? process.cwd());
  if (typeof options === 'string') {
    process.stderr.write(`npm start: ${options}\n\n${startHelp}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(startHelp);
    return 0;
  }
  const stateDir = resolve(options.stateDir ?? join(checkout, '.ballast'));
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    process.stderr.write(`npm start: the folder ${stateDir} cannot be made: ${(error as Error).message}\n`);
    return 2;
  }
  const narrator = createNarrator(process.stdout, () => performance.now());
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string };
  narrator.line(
    `Ballast ${version}: an embedded cluster on this machine; nothing leaves it. Ctrl-C ends it.`,
  );
  narrator.line();
  const signalled = Promise.race([firstSignal(), launcherGone(env)]);
  const session = runSession({ options, stateDir, checkout, narrator, env, stop: signalled });
  return await session.catch((error: unknown) => fail(error, narrator, stateDir));
}

function fail(error: unknown, narrator: Narrator, stateDir: string): number {
  narrator.line();
  narrator.line(`npm start failed: ${messageOf(error)}`);
  const log = join(stateDir, 'operator.log');
  if (existsSync(log)) narrator.line(`The operator's log is ${join(basename(dirname(log)), basename(log))}.`);
  return 1;
}
