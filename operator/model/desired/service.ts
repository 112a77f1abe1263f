/** The Service that callers use: one name and port for the model, whatever revision answers. */
import { podPorts } from '../../../crds/constants.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import type { Service } from '../../../kube/objects.ts';
import { gatewaySelector } from '../gateway/children.ts';
import { servingSelector } from '../labels.ts';
import { servicePort } from '../names.ts';
import { childMeta } from './child.ts';

/**
 * The callers' Service: every ready pod, of all live revisions; with `gatewayPort` the gateway's pods, whose port tells the
 * model: it takes HTTP and gRPC alike.
 */
export function desiredService(deployment: ModelDeployment, gatewayPort?: number): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMeta(deployment, deployment.metadata.name),
    spec: {
      type: 'ClusterIP',
      selector:
        gatewayPort === undefined ? servingSelector(deployment.metadata.name) : { ...gatewaySelector },
      ports: [
        { name: 'http', port: servicePort, targetPort: gatewayPort ?? 'http', protocol: 'TCP' },
        { name: 'grpc', port: podPorts.grpc, targetPort: gatewayPort ?? 'grpc', protocol: 'TCP' },
      ],
    },
  };
}
