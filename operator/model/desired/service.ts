/** The Service that callers use: one name and port for the model, whatever revision answers. */
import { podPorts } from '../../../crds/constants.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import type { Service } from '../../../kube/objects.ts';
import { servingSelector } from '../labels.ts';
import { servicePort } from '../names.ts';
import { childMeta } from './child.ts';

/** The callers' Service: every ready pod, of all live revisions. */
export function desiredService(deployment: ModelDeployment): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMeta(deployment, deployment.metadata.name),
    spec: {
      type: 'ClusterIP',
      selector: servingSelector(deployment.metadata.name),
      ports: [
        { name: 'http', port: servicePort, targetPort: 'http', protocol: 'TCP' },
        { name: 'grpc', port: podPorts.grpc, targetPort: 'grpc', protocol: 'TCP' },
      ],
    },
  };
}
