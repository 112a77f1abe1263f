/** The operator's process: settings, logger, signals, exit code. */
import { jsonLog } from '../kube/json-log.ts';
import { stopOnSignals } from '../kube/lifecycle.ts';
import { ConfigError, type OperatorConfig, parseConfig } from './config.ts';
import { startOperator } from './operator.ts';

/** A setting that is wrong ends the start with one line. */
function end(error: unknown): never {
  if (!(error instanceof ConfigError)) throw error;
  console.error(`ballast-operator: ${error.message}`);
  process.exit(2);
}

function readConfig(): OperatorConfig {
  try {
    return parseConfig();
  } catch (error) {
    return end(error);
  }
}

// The pod of `helm test` has this image, since it needs the API client and no other.
if (process.argv[2] === 'chart-test') {
  const { main } = await import('./chart-test.ts');
  process.exit(await main(process.argv.slice(3), process.env));
}

const config = readConfig();
const log = jsonLog(config.logLevel);

// What nobody caught leaves the process in an unknown state: end it, Kubernetes starts a new one from what the cluster holds.
process.on('unhandledRejection', (reason) => {
  log.error('unhandled rejection', { error: reason instanceof Error ? reason.stack : String(reason) });
  process.exit(1);
});

const operator = await startOperator(config, { log, onLost: () => process.exit(1) }).catch(end);
stopOnSignals(process, operator.lifecycle, (code) => process.exit(code));
log.info('operator started', { opsPort: operator.opsPort, identity: config.identity });
