/** Reads a Dockerfile into stages and instructions, and holds them to the rules that no scanner here checks for us. */

export interface Instruction {
  readonly name: string;
  readonly text: string;
}

export interface Stage {
  readonly base: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  /** ARGs before the first FROM, with their defaults. */
  readonly globals: ReadonlyMap<string, string>;
  readonly stages: readonly Stage[];
}

/** Instructions of a Dockerfile: comments and blank lines gone, continued lines joined. */
function instructionsOf(text: string): Instruction[] {
  return text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^\s*(\S+)\s*(.*)$/.exec(line) ?? [];
      return { name: name.toUpperCase(), text: rest.trim() };
    });
}

/** Parses a Dockerfile; throws where it has instructions outside a stage. */
export function parseDockerfile(text: string): Dockerfile {
  const globals = new Map<string, string>();
  const stages: { base: string; name: string; instructions: Instruction[] }[] = [];
  for (const instruction of instructionsOf(text)) {
    const stage = stages.at(-1);
    if (instruction.name === 'FROM') {
      const [base = '', , name = ''] = instruction.text.replace(/^--platform=\S+\s+/, '').split(/\s+/);
      stages.push({ base, name, instructions: [] });
    } else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.name === 'ARG') {
      const [name = '', value = ''] = instruction.text.split(/=(.*)/s, 2);
      globals.set(name, value);
    } else throw new Error(`${instruction.name} before the first FROM`);
  }
  return { globals, stages };
}

/** Texts of all instructions of that name in a stage. */
export const textsOf = (stage: Stage, name: string): string[] =>
  stage.instructions.filter((instruction) => instruction.name === name).map(({ text }) => text);

/** Words of an instruction in exec form, such as ENTRYPOINT ["a", "b"]; undefined in shell form. */
export function execForm(text: string | undefined): string[] | undefined {
  try {
    const words: unknown = JSON.parse(text ?? '');
    return Array.isArray(words) ? words.map(String) : undefined;
  } catch {
    return undefined;
  }
}

const hasTag = (image: string) => /:[^/]+$/.test(image) && !/:latest$/.test(image);

/** Every way in which a Dockerfile breaks the rules, as a sentence. */
export function problemsOf(text: string): string[] {
  const problems: string[] = [];
  const { globals, stages } = parseDockerfile(text);
  const final = stages.at(-1);
  if (final === undefined) return ['there is no stage'];
  for (const { base } of stages) {
    const argument = /^\$\{(\w+)\}$/.exec(base)?.[1];
    const fallback = argument === undefined ? undefined : globals.get(argument);
    if (fallback === undefined) problems.push(`FROM ${base}: the base must be a declared ARG`);
    else if (!hasTag(fallback))
      problems.push(`${argument}=${fallback}: the base needs a tag that is not latest`);
  }
  for (const stage of stages)
    for (const { name, text: words } of stage.instructions) {
      if (name === 'ADD') problems.push(`ADD ${words}: COPY does not unpack or download`);
      if (name === 'RUN' && /\b(curl|wget)\b/.test(words))
        problems.push(`RUN ${words}: a download without a digest`);
      if (name === 'RUN' && /\bnpm (i|install|add)\b|\bnpx\b/.test(words))
        problems.push(`RUN ${words}: only npm ci keeps to the lock file`);
      if (/^(ENV|ARG)$/.test(name) && /(token|password|secret|key)\w*\b/i.test(words))
        problems.push(`${name} ${words}: a secret would stay in the image`);
    }
  for (const { name, text: words } of final.instructions) {
    if (name === 'RUN') problems.push(`RUN ${words}: the last stage must need no emulation and no shell`);
    if (name === 'COPY' && !/--chown=0:0\b/.test(words))
      problems.push(`COPY ${words}: root must own the files`);
    if (name === 'COPY' && !/--from=/.test(words))
      problems.push(`COPY ${words}: sources do not belong into an image`);
  }
  const user = textsOf(final, 'USER').at(-1);
  if (user === undefined || !/^[1-9]\d*(:[1-9]\d*)?$/.test(user))
    problems.push(
      `USER ${user ?? 'is missing'}: it must be a number other than 0, which Kubernetes can check`,
    );
  const order = final.instructions.map(({ name }) => name);
  if (order.includes('WORKDIR') && order.lastIndexOf('WORKDIR') > order.indexOf('USER'))
    problems.push('WORKDIR after USER: the folder would belong to the user');
  for (const name of ['ENTRYPOINT', 'CMD'])
    for (const words of textsOf(final, name))
      if (execForm(words) === undefined) problems.push(`${name} ${words}: the shell form needs a shell`);
  if (textsOf(final, 'ENTRYPOINT').length !== 1) problems.push('there must be one ENTRYPOINT');
  return problems;
}
