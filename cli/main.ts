#!/usr/bin/env node
/** `npx ballast`: the command line. Each command is loaded when it is called, so that `--help` is quick. */

interface Command {
  readonly summary: string;
  readonly run: (args: string[]) => Promise<number>;
}

const commands: Record<string, Command> = {
  start: {
    summary:
      'Start an embedded cluster with Ballast and a sample model (or your own .onnx file) on this machine',
    run: async (args) => (await import('./start/command.ts')).startCommand(args, process.env),
  },
  load: {
    summary: 'Send requests to a model at a given rate and print latency percentiles and errors',
    run: async (args) => (await import('./load/command.ts')).loadCommand(args),
  },
  why: {
    summary:
      'Say why a ModelDeployment has as many replicas as it has, with the arithmetic and the last ten changes',
    run: async (args) => (await import('./why/command.ts')).whyCommand(args),
  },
  simulate: {
    summary:
      'Replay traffic through a manifest without a cluster: what callers would have seen, and what it would have cost',
    run: async (args) => (await import('./simulate/command.ts')).simulateCommand(args),
  },
  lint: {
    summary: 'Check manifests offline, with the same rules and words as the API server',
    run: async (args) => (await import('./lint/command.ts')).lintCommand(args),
  },
};

const help = `Usage: ballast COMMAND [options]

${Object.entries(commands)
  .map(([name, command]) => `  ${name.padEnd(8)} ${command.summary}`)
  .join('\n')}

"ballast COMMAND --help" tells the options of a command.
`;

// Whoever reads the output may stop before its end, as `head` does: then there is nobody left to tell (128 and SIGPIPE).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(141);
  throw error;
});

const [name, ...args] = process.argv.slice(2);
const command = name === undefined ? undefined : commands[name];
if (command === undefined) {
  const wanted = name === undefined || name === '--help' || name === '-h' || name === 'help';
  if (!wanted) process.stderr.write(`ballast: there is no command "${name}".\n\n`);
  (wanted ? process.stdout : process.stderr).write(help);
  process.exitCode = wanted ? 0 : 2;
} else {
  process.exitCode = await command.run(args);
}
