/** Names of a ModelDeployment's children: deterministic, so that two operators or a crash never make two of one thing. */

/** Deployment, headless Service and ControllerRevision of one revision. */
export const revisionChildName = (name: string, revision: string): string => `${name}-${revision}`;

/** ConfigMap that the pods re-read live. */
export const configMapName = (name: string): string => `${name}-config`;

/** Where callers inside the cluster reach the model. */
export const serviceUrl = (name: string, namespace: string, port: number): string =>
  `http://${name}.${namespace}.svc:${port}`;

/** Port of the callers' Service. */
export const servicePort = 8080;
