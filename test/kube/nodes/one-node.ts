/** An owner of a cluster for the test to kill: starts one node with one pod, says what is where, and waits. */
import { startRealCluster } from '../cluster.ts';
import { staticImage } from '../static-image.ts';
import { clientOf, makeProbe, readyPods } from './pods.ts';
import { tracesOf } from './traces.ts';

const probe = staticImage('probe', () => {});
const cluster = await startRealCluster({ nodes: 1, images: [probe.archive] });
const client = await clientOf(cluster.kubeconfigPath);
await makeProbe(client, 'probe', 1);
await readyPods(client, 'probe', 1);
console.log(JSON.stringify(tracesOf(cluster)));
setInterval(() => {}, 1000);
