/** Users of the parts of a cluster: each asks by a name of its own, so that an audit log can tell them apart. */
import { randomBytes } from 'node:crypto';
import type { TokenUser } from './control-plane-files.ts';

export interface ClusterUsers {
  readonly kwok: TokenUser;
  readonly karpenter: TokenUser;
  readonly coredns: TokenUser;
  readonly proxy: TokenUser;
  /** One per real node, in their order. */
  readonly kubelets: readonly TokenUser[];
}

/** Makes them, with new tokens. */
export function makeUsers(nodes: readonly string[]): ClusterUsers {
  const user = (name: string, group: string): TokenUser => {
    return { name, token: randomBytes(16).toString('hex'), groups: [group] };
  };
  return {
    kwok: user('kwok', 'system:masters'),
    karpenter: user('karpenter', 'system:masters'),
    coredns: user('coredns', 'system:masters'),
    proxy: user('system:kube-proxy', 'system:node-proxier'),
    kubelets: nodes.map((name) => user(`system:node:${name}`, 'system:nodes')),
  };
}
