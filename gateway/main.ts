/** The gateway's process: settings, logger, signals, exit code. */
import { loadAuth } from '../kube/auth.ts';
import { createClient } from '../kube/client.ts';
import { jsonLog } from '../kube/json-log.ts';
import { messageOf } from '../kube/log.ts';
import { ConfigError, type GatewayConfig, parseConfig } from './config.ts';
import { Gateway } from './gateway.ts';

function readConfig(): GatewayConfig {
  try {
    return parseConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`ballast-gateway: ${error.message}`);
    process.exit(2);
  }
}

const config = readConfig();
const log = jsonLog(config.logLevel);

// What nobody caught leaves the process in an unknown state: end it, Kubernetes starts a new one, and others serve meanwhile.
process.on('unhandledRejection', (reason) => {
  log.error('unhandled rejection', { error: reason instanceof Error ? reason.stack : String(reason) });
  process.exit(1);
});

const { kubeconfig, inCluster } = config;
const auth = await loadAuth({
  ...(kubeconfig === undefined ? {} : { kubeconfig }),
  ...(inCluster === undefined ? {} : { inCluster }),
}).catch((error: unknown) => {
  console.error(`ballast-gateway: ${messageOf(error)}`);
  process.exit(2);
});
const client = createClient(auth, { userAgent: 'ballast-gateway' });
const gateway = new Gateway({ config, api: client, namespace: config.namespace ?? auth.namespace, log });
await gateway.start();
log.info('gateway started', { opsPort: gateway.opsPort, namespace: config.namespace ?? auth.namespace });

let isStopping = false;
const onSignal = () => {
  if (isStopping) process.exit(130);
  isStopping = true;
  log.info('draining', { delayMs: config.drainDelayMs });
  void gateway
    .drain()
    .then(() => gateway.stop())
    .then(() => client.close())
    .then(() => process.exit(0));
};
process.on('SIGTERM', onSignal);
process.on('SIGINT', onSignal);
