/** Names that operator, pods, chart and CLI agree on: API group, labels, annotations, ports, paths, field managers. */

export const apiGroup = 'ballast.dev';
export const apiVersion = 'v1alpha1';
export const groupVersion = `${apiGroup}/${apiVersion}`;
export const kind = 'ModelDeployment';
export const plural = 'modeldeployments';
/** ModelDeployment as an API resource, in the form in which `kube/` names kinds. */
export const modelDeployments = {
  group: apiGroup,
  version: apiVersion,
  plural,
  kind,
  namespaced: true,
} as const;

/** Longest name of a ModelDeployment: a child adds `-` and a revision of 10, and labels and Services end at 63. */
export const maxNameLength = 45;

export const labels = {
  /** Name of the ModelDeployment that owns the object. */
  deployment: 'ballast.dev/model-deployment',
  /** Revision hash of the object, on whatever belongs to one revision. */
  revision: 'ballast.dev/revision',
  /** `serving` on pods that serve predictions: what the callers' Service selects. */
  role: 'ballast.dev/role',
  /** Name of the ModelDeployment whose headroom the object keeps. Such objects do not carry `deployment`. */
  headroom: 'ballast.dev/headroom',
  managedBy: 'app.kubernetes.io/managed-by',
  appName: 'app.kubernetes.io/name',
  appInstance: 'app.kubernetes.io/instance',
} as const;

export const annotations = {
  /** On a ControllerRevision: sha256 of the model file that the revision's first pod fetched. */
  modelSha256: 'ballast.dev/model-sha256',
  /** On a child: hash of the object as it was last applied, to tell a webhook's edit from our own change. */
  appliedHash: 'ballast.dev/applied-hash',
} as const;

export const fieldManagers = {
  operator: 'ballast-operator',
  status: 'ballast-status',
  cli: 'ballast-cli',
} as const;

/** Ports of an inference pod, found by name in EndpointSlices and never guessed by number. */
export const podPorts = { http: 8080, grpc: 9000, ops: 8081 } as const;

/** Paths inside an inference pod. */
export const podPaths = {
  /** emptyDir that the fetch init container fills: `model.onnx` and `manifest.json`. */
  model: '/ballast/model',
  /** ConfigMap `‹name›-config`, mounted as a directory and re-read live: `config.json`. */
  config: '/ballast/config',
  /** Where the claim of a `pvc://` URI is mounted, read-only, in the fetch container only. */
  claim: '/ballast/claim',
  terminationLog: '/dev/termination-log',
} as const;

/** Files of the ConfigMap in `podPaths.config`. */
export const podFiles = { config: 'config.json', ca: 'ca.pem' } as const;

/** Containers of an inference pod. */
export const podContainers = { fetch: 'fetch', serve: 'serve' } as const;

/** Environment of an inference pod. Durations and sizes carry their unit in the name. */
export const podEnv = {
  modelName: 'BALLAST_MODEL_NAME',
  modelUri: 'BALLAST_MODEL_URI',
  modelSha256: 'BALLAST_MODEL_SHA256',
  modelVersion: 'BALLAST_MODEL_VERSION',
  revision: 'BALLAST_REVISION',
  modelDir: 'BALLAST_MODEL_DIR',
  configDir: 'BALLAST_CONFIG_DIR',
  claimDir: 'BALLAST_CLAIM_DIR',
  /** Colon-separated directories under which `file://` URIs may be read; the image sets `/samples`. */
  fileRoots: 'BALLAST_FILE_ROOTS',
  threads: 'BALLAST_THREADS',
  maxBodyBytes: 'BALLAST_MAX_BODY_BYTES',
  /** How many requests may be inside the pod, those that upload and run included. */
  maxInFlight: 'BALLAST_MAX_IN_FLIGHT',
  /** How many requests may wait for the runner. */
  maxQueue: 'BALLAST_MAX_QUEUE',
  /** Largest batch in rows; 1 turns batching off. */
  maxBatchRows: 'BALLAST_MAX_BATCH_ROWS',
  /** How long a batch that is not full may wait for more. */
  maxBatchDelayMs: 'BALLAST_MAX_BATCH_DELAY_MS',
  /** How long warm-up may measure; 0: nothing is run before the pod is ready. */
  warmUpMs: 'BALLAST_WARM_UP_MS',
  /** `spec.contract` as JSON. */
  contract: 'BALLAST_CONTRACT',
  cpuLimit: 'BALLAST_CPU_LIMIT_MILLICORES',
  memoryLimit: 'BALLAST_MEMORY_LIMIT_BYTES',
  listenHost: 'BALLAST_LISTEN_HOST',
  httpPort: 'BALLAST_HTTP_PORT',
  grpcPort: 'BALLAST_GRPC_PORT',
  opsPort: 'BALLAST_OPS_PORT',
  terminationLog: 'BALLAST_TERMINATION_LOG',
  podName: 'BALLAST_POD_NAME',
} as const;

/**
 * Largest `spec.contract` as JSON, bytes. It is one variable of the pod's environment, of which Linux takes 128 KiB, and a
 * revision stores it twice.
 */
export const maxContractBytes = 65_536;

/** Exit codes of an inference pod, named in status messages. */
export const exitCodes = {
  ok: 0,
  /** Bad configuration: the pod's environment does not parse. */
  config: 2,
  /** The model cannot be had: not found, refused, too large, not a model. Trying again does not help. */
  modelUnavailable: 3,
  /** The digest is not the promised one (`sha256`), or moved since the revision's first pod (`DigestMoved`). */
  digest: 4,
  /** A passing failure while fetching (network, 5xx) outlasted its retries. */
  fetchFailed: 5,
  /** onnxruntime refused the model. */
  loadFailed: 6,
  /** The contract names what the model does not have, or asks what cannot be. */
  contract: 7,
} as const;
