/** The headless Service of one revision: its EndpointSlices tell where the pods are, the unready ones included. */
import { podPorts } from '../../../crds/constants.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import type { Service } from '../../../kube/objects.ts';
import { revisionSelector } from '../labels.ts';
import { revisionChildName } from '../names.ts';
import { childMeta } from './child.ts';

/** Headless Service of a revision; `targetPort` by name, so that a pod may have ports of its own. */
export function desiredHeadlessService(deployment: ModelDeployment, revision: string): Service {
  const { name } = deployment.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMeta(deployment, revisionChildName(name, revision), revision),
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: revisionSelector(name, revision),
      ports: [
        { name: 'http', port: podPorts.http, targetPort: 'http', protocol: 'TCP' },
        { name: 'grpc', port: podPorts.grpc, targetPort: 'grpc', protocol: 'TCP' },
        { name: 'ops', port: podPorts.ops, targetPort: 'ops', protocol: 'TCP' },
      ],
    },
  };
}
