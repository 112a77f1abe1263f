/** Lets the generators write the corpus, once for each version of them. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { americanLocale, modelPackages, must, pythonOf, type Say, torchFromDebian } from './environments.ts';

const sources = join(import.meta.dirname, 'python');

export interface Corpus {
  /** One folder for each model. */
  readonly directory: string;
  /** Generators that could not run here, with the reason. */
  readonly missing: readonly string[];
}

/** The folder with all models and what Python's onnxruntime answers. */
export function corpusOf(stateDir: string, say: Say): Corpus {
  const python = pythonOf('main', stateDir, say);
  const torch = torchFromDebian(stateDir, say);
  const missing =
    torch === undefined ? ['PyTorch: Debian’s package python3-torch is not to be had here'] : [];
  const directory = join(stateDir, 'models', keyOf(torch !== undefined));
  if (existsSync(directory)) return { directory, missing };
  const part = `${directory}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  const locale = americanLocale(stateDir);
  const packages = modelPackages(python, stateDir, say);
  const run = (program: string, script: string, env: Record<string, string> = {}) => {
    say(`python/${script}.py`);
    const path = [sources, env.PYTHONPATH].filter((folder) => folder !== undefined).join(':');
    must(program, ['-W', 'ignore', join(sources, `${script}.py`), part], {
      env: {
        ...process.env,
        ...env,
        PYTHONPATH: path,
        PYTHONHASHSEED: '0',
        PYTHONDONTWRITEBYTECODE: '1',
        OMP_NUM_THREADS: '1',
        CORPUS_OUT: part,
        ...(locale === undefined ? {} : { LOCPATH: locale }),
        CORPUS_PACKAGES: packages,
      },
    });
  };
  for (const script of ['sklearn', 'boosting', 'hand', 'quantisation', 'packages'])
    run(python, `made_by_${script}`);
  if (torch !== undefined) run(python, 'made_by_torch', torch);
  run(pythonOf('tensorflow', stateDir, say), 'made_by_tensorflow');
  run(python, 'expect');
  renameSync(part, directory);
  // Those of earlier generators are of no use any more.
  for (const name of readdirSync(join(stateDir, 'models')))
    if (join(stateDir, 'models', name) !== directory)
      rmSync(join(stateDir, 'models', name), { recursive: true, force: true });
  return { directory, missing };
}

/** Changes with every generator and every pinned version. */
function keyOf(hasTorch: boolean): string {
  const hash = createHash('sha256').update(String(hasTorch));
  for (const folder of [sources, join(import.meta.dirname, 'requirements')])
    for (const name of readdirSync(folder).sort())
      if (/\.(py|txt)$/.test(name)) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest('hex').slice(0, 10);
}
