/**
 * How jest reads TypeScript: swc strips the types, and the globals that inner loops name are bound once in each module.
 * Inside jest's contexts every look at a global asks an interceptor: the tests of simulator and scaling took 55 CPU seconds, and take 29 so.
 */
import swc from '@swc/jest';

/** Never one that a test replaces, such as `Date`, `fetch` or a timer. */
const bound = ['Array', 'JSON', 'Map', 'Math', 'Number', 'Object', 'Set', 'String'];

/** Whether the module has a thing of its own by that name; a doubt counts as yes and costs speed alone. */
const declares = (source: string, name: string) =>
  new RegExp(`^\\s*(?:export\\s+)?(?:const|let|class|function|enum|interface|type)\\s+${name}\\b`, 'm').test(
    source,
  ) || new RegExp(`^import\\s[^;]*\\b${name}\\b[^;]*\\bfrom\\b`, 'm').test(source);

/** The module with its globals bound in front of its first line, so that lines keep their numbers. */
export function withBoundGlobals(source: string): string {
  if (source.startsWith('#!')) return source;
  const names = bound.filter(
    (name) => new RegExp(`(?<![.\\w$])${name}[.(]|new ${name}\\b`).test(source) && !declares(source, name),
  );
  return names.length === 0 ? source : `const { ${names.join(', ')} } = globalThis; ${source}`;
}

export default {
  /** Called by jest with what jest.config.js says beside the path. */
  createTransformer(options: Parameters<typeof swc.createTransformer>[0]) {
    const inner = swc.createTransformer(options);
    const { process, processAsync, getCacheKey } = inner;
    if (process === undefined || processAsync === undefined || getCacheKey === undefined)
      throw new Error('@swc/jest has another shape than this was written for');
    return {
      ...inner,
      process: (source: string, path: string, more: Parameters<typeof process>[2]) =>
        process(withBoundGlobals(source), path, more),
      processAsync: (source: string, path: string, more: Parameters<typeof processAsync>[2]) =>
        processAsync(withBoundGlobals(source), path, more),
      getCacheKey: (source: string, path: string, more: Parameters<typeof getCacheKey>[2]) =>
        getCacheKey(withBoundGlobals(source), path, more),
    };
  },
};
