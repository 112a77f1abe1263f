/** Random contents of the built-in kinds that the operator writes, as the fields beside `metadata`. */
import type { Random } from './chance.ts';
import { randomFields } from './specs.ts';

type Fields = Record<string, unknown>;

const word = (random: Random) => random.pick(['u', 'v', 'w']);
const words = (random: Random, keys: readonly string[]) =>
  Object.fromEntries(random.some(keys).map((key) => [key, word(random)]));

// Go tells an empty list or map from an absent one where it compares, a known difference: none of these is empty.
const oneOrTwo = (random: Random) => [1, 2].slice(random.below(2));

/** Data of a ConfigMap, sometimes a key that is in both maps or that no file can be named after. */
export function configMapFields(random: Random): Fields {
  return randomFields(
    random,
    {
      data: () => ({ a: word(random), ...words(random, ['b', random.chance(0.05) ? 'a/b' : 'c']) }),
      binaryData: () =>
        Object.fromEntries(
          ['e', ...random.some(['c', 'd'])].map((key) => [key, random.pick(['AQ==', 'AQ==', 'Ag==', '?'])]),
        ),
      immutable: () => random.chance(0.1),
    },
    0.6,
  );
}

/** Data of a Secret of one of two types. */
export function secretFields(random: Random): Fields {
  return randomFields(
    random,
    {
      data: () =>
        Object.fromEntries(random.some(['a', 'b']).map((key) => [key, random.pick(['YQ==', 'Yg=='])])),
      stringData: () => words(random, ['b', 'c']),
      type: () => random.pick(['Opaque', 'Opaque', 'test.dev/other']),
    },
    0.6,
    0.03,
  );
}

/** A Service with a cluster address or headless, of one to three ports. */
export function serviceFields(random: Random): Fields {
  const port = (number: number) => ({
    port: number,
    ...(random.chance(0.9) ? { name: `p${number}` } : {}),
    ...randomFields(
      random,
      {
        protocol: () => random.pick(['TCP', 'UDP']),
        targetPort: () => random.pick([8080, 'http', 0]),
        appProtocol: () => 'http',
      },
      0.4,
      0,
    ),
  });
  return {
    spec: {
      ports: [80, ...random.some([81, 82])].map(port),
      ...randomFields(
        random,
        {
          selector: () => words(random, ['app', 'part']),
          publishNotReadyAddresses: () => random.chance(0.5),
          sessionAffinity: () => random.pick(['None', 'ClientIP']),
          internalTrafficPolicy: () => random.pick(['Cluster', 'Local']),
        },
        0.3,
        0.03,
      ),
    },
  };
}

/** Spec of a NetworkPolicy. */
export function networkPolicyFields(random: Random): Fields {
  const peer = () =>
    random.chance(0.5)
      ? { podSelector: { matchLabels: { a: word(random) } } }
      : {
          ipBlock: { cidr: random.pick(['10.0.0.0/8', '10.0.0.1/33']), except: ['10.1.0.0/16'] },
        };
  const port = () => ({
    port: random.pick([80, 'http']),
    ...(random.chance(0.5) ? { protocol: 'UDP' } : {}),
  });
  return {
    spec: {
      podSelector: random.chance(0.3) ? {} : { matchLabels: { app: word(random) } },
      ...randomFields(
        random,
        {
          policyTypes: () => [random.pick(['Ingress', 'Egress'])],
          ingress: () => oneOrTwo(random).map(() => ({ from: [peer()], ports: [port()] })),
          egress: () => oneOrTwo(random).map(() => ({ to: [peer()], ports: [port()] })),
        },
        0.5,
        0.03,
      ),
    },
  };
}

/** Spec of a PodDisruptionBudget, sometimes with both limits. */
export function budgetFields(random: Random): Fields {
  const amount = () => random.pick([0, 1, '50%', '150%']);
  return {
    spec: randomFields(
      random,
      {
        selector: () => ({ matchLabels: { app: word(random), ...words(random, ['part']) } }),
        minAvailable: amount,
        maxUnavailable: amount,
        unhealthyPodEvictionPolicy: () => random.pick(['AlwaysAllow', 'IfHealthyBudget']),
      },
      0.4,
      0.03,
    ),
  };
}

/** Spec of a Lease. */
export function leaseFields(random: Random): Fields {
  return {
    spec: randomFields(
      random,
      {
        holderIdentity: () => word(random),
        leaseDurationSeconds: () => random.below(4),
        leaseTransitions: () => random.below(3) - 1,
        acquireTime: () => '2026-11-24T10:00:00.000000Z',
        renewTime: () => `2026-11-24T10:00:0${random.below(9)}.123456Z`,
      },
      0.5,
    ),
  };
}

/** Fields of a ServiceAccount. */
export function serviceAccountFields(random: Random): Fields {
  return randomFields(random, {
    automountServiceAccountToken: () => random.chance(0.5),
    imagePullSecrets: () => random.some(['s', 't']).map((name) => ({ name })),
  });
}

/** Data of a ControllerRevision: it may never change. */
export function revisionFields(random: Random): Fields {
  return { data: { a: random.pick(['1', '1', '2']) }, revision: random.below(3) };
}

/** Spec of a pod that no node takes; most fields of a pod may not change. */
export function podFields(random: Random): Fields {
  const container = (name: string) => ({
    name,
    image: random.pick(['i:1', 'i:1', 'i:2']),
    ...randomFields(
      random,
      {
        args: () => ['x'],
        resources: () => ({ requests: { cpu: '1' }, limits: { cpu: random.pick(['1', '2']) } }),
        ports: () => [{ containerPort: 80 }],
      },
      0.15,
      0,
    ),
  });
  return {
    spec: {
      nodeSelector: { nowhere: 'true' },
      containers: ['main', ...(random.chance(0.2) ? ['side'] : [])].map(container),
      ...randomFields(
        random,
        {
          terminationGracePeriodSeconds: () => random.below(3),
          activeDeadlineSeconds: () => random.below(3),
          tolerations: () => random.some(['t', 'u']).map((key) => ({ key, operator: 'Exists' })),
          automountServiceAccountToken: () => false,
        },
        0.15,
        0,
      ),
    },
  };
}

/** Status of a pod, as a kubelet or a controller would write parts of it. */
export function podStatus(random: Random): Fields {
  const condition = (type: string) => ({
    type,
    status: random.pick(['True', 'False']),
    ...(random.chance(0.4) ? { reason: word(random) } : {}),
  });
  return randomFields(
    random,
    {
      phase: () => random.pick(['Pending', 'Running']),
      message: () => word(random),
      conditions: () => random.some(['Ready', 'Initialized', 'test.dev/gate']).map(condition),
    },
    0.5,
    0.03,
  );
}
