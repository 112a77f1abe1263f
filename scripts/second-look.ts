/** Reads jest's report for what failed, and words the run that looks at those files once more. */

/** The part of jest's `--json` that is read here. */
export interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    /** The file, absolute. */
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** The failed tests of a report: how many (a file that could not run counts as one), in which files, and their names. */
export function failuresIn(report: JestReport): { count: number; files: string[]; names: string[] } {
  const files = report.testResults.filter(({ status }) => status === 'failed');
  return {
    count: report.numFailedTests + report.numRuntimeErrorTestSuites,
    files: files.map(({ name }) => name),
    names: files.flatMap(({ name, assertionResults }) => {
      const failed = assertionResults.filter(({ status }) => status === 'failed');
      return failed.length === 0 ? [name] : failed.map(({ fullName }) => `${name}: ${fullName}`);
    }),
  };
}

/** The words of a run narrowed to some files: its flags stay, its patterns (the words before the first flag) go. */
export function onlyFiles(words: readonly string[], files: readonly string[]): string[] {
  const firstFlag = words.findIndex((word) => word.startsWith('-'));
  const flags = firstFlag === -1 ? [] : words.slice(firstFlag);
  const escaped = files.map((file) => `^${file.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
  return [...escaped, ...flags];
}
