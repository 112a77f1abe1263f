/** The operator's image as the gateway's pods use it: the gateway's bundle as a process of this machine. */
import { dirname, join } from 'node:path';
import type { LocalImage } from './kubelet/image-map.ts';

/** Image of gateways in the embedded cluster whose files lie in `stateDir`; `bundles` is the folder of bundles. */
export const localGatewayImage = (bundles: string, stateDir: string): LocalImage => ({
  command: [process.execPath, join(bundles, 'operator.mjs')],
  // Pods have no token that could be read where a client library looks for it: the person's own file serves.
  env: { KUBECONFIG: join(stateDir, 'kubeconfig') },
  paths: { '/nodejs/bin': dirname(process.execPath), '/app': bundles },
});
