/** Kinds that only the embedded cluster reads, beside those of kube/objects.ts. */
import type {
  Condition,
  Container,
  Deployment,
  KubeObject,
  Pod,
  PodSpec,
  ReplicaSet,
} from '../../kube/objects.ts';

export interface Secret extends KubeObject {
  type?: string;
  data?: Record<string, string>;
}

export interface PersistentVolumeClaim extends KubeObject {
  spec: {
    accessModes?: string[];
    resources?: { requests?: Record<string, string> };
    volumeName?: string;
    storageClassName?: string;
    volumeMode?: string;
  };
  status?: { phase?: string; accessModes?: string[]; capacity?: Record<string, string> };
}

export interface Node extends KubeObject {
  spec?: { taints?: Record<string, unknown>[]; unschedulable?: boolean };
  status?: {
    capacity?: Record<string, string>;
    allocatable?: Record<string, string>;
    conditions?: (Condition & { lastHeartbeatTime?: string })[];
    addresses?: { type: string; address: string }[];
    nodeInfo?: Record<string, string>;
  };
}

/** Deployments' conditions also say when they were last renewed: the progress deadline counts from there. */
export interface DeploymentCondition extends Condition {
  lastUpdateTime?: string;
}

export type DeploymentStatus = NonNullable<Deployment['status']> & {
  conditions?: DeploymentCondition[];
  collisionCount?: number;
  terminatingReplicas?: number;
};

export type ReplicaSetStatus = NonNullable<ReplicaSet['status']> & { terminatingReplicas?: number };

export type PodStatus = NonNullable<Pod['status']>;

/** What a container may ask beyond kube/objects.ts, which holds only what Ballast's own pods use. */
export type LocalContainer = Container & { restartPolicy?: string };
export type LocalPodSpec = PodSpec & { activeDeadlineSeconds?: number };
