import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { configMap, container, deployment, pod } from './support/objects.ts';
import { causes, said } from './support/words.ts';

const api = await openCluster();
const many = (length: number) => 'a'.repeat(length);

describe('names and metadata', () => {
  test.each([
    [
      'an upper-case name',
      configMap('Upper'),
      "metadata.name | FieldValueInvalid | Invalid value: \"Upper\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
    [
      'a name that is too long',
      configMap(many(254)),
      `metadata.name | FieldValueInvalid | Invalid value: "${many(254)}": must be no more than 253 characters`,
    ],
    [
      'a label value with a space',
      configMap('label', {}, { labels: { a: 'b c' } }),
      "metadata.labels | FieldValueInvalid | Invalid value: \"b c\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
    [
      'a label key with two slashes',
      configMap('label-key', {}, { labels: { 'a/b/c': 'd' } }),
      "metadata.labels | FieldValueInvalid | Invalid value: \"a/b/c\": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ],
    [
      'a label value that is too long',
      configMap('label-long', {}, { labels: { a: many(64) } }),
      `metadata.labels | FieldValueInvalid | Invalid value: "${many(64)}": must be no more than 63 bytes`,
    ],
    [
      'annotations that are too large',
      configMap('annotations', {}, { annotations: { a: many(262_145) } }),
      'metadata.annotations | FieldValueTooLong | Too long: may not be more than 262144 bytes',
    ],
    [
      'a finalizer without a domain',
      configMap('finalizer', {}, { finalizers: ['mine'] }),
      'metadata.finalizers[0] | FieldValueInvalid | Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ],
    [
      'an owner without uid',
      configMap('owner', {}, { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'a', uid: '' }] }),
      'metadata.ownerReferences.uid | FieldValueInvalid | Invalid value: "": must not be empty',
    ],
    [
      'two controllers',
      configMap(
        'controllers',
        {},
        {
          ownerReferences: ['a', 'b'].map((name) => ({
            apiVersion: 'v1',
            kind: 'Pod',
            name,
            uid: name,
            controller: true,
          })),
        },
      ),
      'metadata.ownerReferences | FieldValueInvalid | Invalid value: "a", "b"',
    ],
    [
      'a ConfigMap key with a slash',
      configMap('key', { 'a/b': '1' }),
      "data[a/b] | FieldValueInvalid | Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ],
  ])('%s', async (_, object, cause) => {
    const answer = await api.post(api.path('configmaps'), object);
    expect([answer.status, answer.body.reason]).toEqual([422, 'Invalid']);
    if (cause.includes('"a", "b"'))
      expect(causes(answer)[0]).toContain('metadata.ownerReferences | FieldValueInvalid');
    else expect(causes(answer)).toEqual([cause]);
  });

  test('the message lists the causes after kind and name', async () => {
    const answer = await api.post(
      api.path('configmaps'),
      configMap('two', { 'a/b': '1' }, { labels: { a: 'b c' } }),
    );
    expect(answer.body.message).toMatch(
      /^ConfigMap "two" is invalid: \[metadata\.labels: Invalid value: .*, data\[a\/b\]: Invalid value: /,
    );
    expect(answer.body.details).toMatchObject({ name: 'two', kind: 'ConfigMap' });
    expect(causes(answer)).toHaveLength(2);
  });
});

describe('immutable fields', () => {
  test('the selector of a Deployment', async () => {
    await api.post(api.path('deployments'), deployment('fixed'));
    const answer = await api.mergePatch(api.path('deployments', 'fixed'), {
      spec: {
        selector: { matchLabels: { app: 'fixed', b: 'c' } },
        template: { metadata: { labels: { b: 'c' } } },
      },
    });
    expect(answer.status).toBe(422);
    expect(causes(answer)).toEqual([
      'spec.selector | FieldValueInvalid | Invalid value: {"matchLabels":{"app":"fixed","b":"c"}}: field is immutable',
    ]);
  });

  test('an immutable ConfigMap', async () => {
    await api.post(api.path('configmaps'), { ...configMap('frozen', { a: '1' }), immutable: true });
    const answer = await api.mergePatch(api.path('configmaps', 'frozen'), { data: { a: '2' } });
    expect(causes(answer)).toEqual([
      'data | FieldValueForbidden | Forbidden: field is immutable when `immutable` is set',
    ]);
  });

  test('the type of a Secret', async () => {
    await api.post(api.path('secrets'), {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'typed' },
      type: 'Opaque',
    });
    const answer = await api.mergePatch(api.path('secrets', 'typed'), { type: 'other.test/kind' });
    expect(causes(answer)).toEqual([
      'type | FieldValueInvalid | Invalid value: "other.test/kind": field is immutable',
    ]);
  });

  test('the spec of a pod, but for images and a few more', async () => {
    await api.post(api.path('pods'), pod('fixed'));
    const image = await api.strategicPatch(api.path('pods', 'fixed'), {
      spec: { containers: [{ name: 'main', image: 'example.test/none:2' }] },
    });
    expect(image.status).toBe(200);
    const answer = await api.mergePatch(api.path('pods', 'fixed'), { spec: { hostname: 'other' } });
    expect(answer.status).toBe(422);
    expect(causes(answer)[0]).toMatch(
      /^spec \| FieldValueForbidden \| Forbidden: pod updates may not change fields other than `spec.containers\[\*\].image`,/,
    );
  });

  test('the data of a ControllerRevision', async () => {
    const made = await api.post(api.path('controllerrevisions'), {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: { name: 'kept' },
      data: { template: { a: 1 } },
      revision: 1,
    });
    expect(made.body).toMatchObject({ data: { template: { a: 1 } }, revision: 1 });
    const raised = await api.mergePatch(api.path('controllerrevisions', 'kept'), { revision: 2 });
    expect([raised.status, raised.body.revision]).toEqual([200, 2]);
    const answer = await api.mergePatch(api.path('controllerrevisions', 'kept'), {
      data: { template: { a: 2 } },
    });
    expect(answer.status).toBe(422);
    expect(causes(answer)[0]).toMatch(/^data \| FieldValueInvalid \| Invalid value: .*: field is immutable$/);
  });
});

describe('Deployments and pods', () => {
  test.each([
    [
      'template labels that the selector does not match',
      deployment('labels', { selector: { matchLabels: { app: 'other' } } }),
      [
        'spec.template.metadata.labels | FieldValueInvalid | Invalid value: {"app":"labels"}: `selector` does not match template `labels`',
      ],
    ],
    [
      'no container',
      deployment('empty', {}, { containers: [] }),
      ['spec.template.spec.containers | FieldValueRequired | Required value'],
    ],
    [
      'a container without an image',
      deployment('imageless', {}, { containers: [{ name: 'main' }] }),
      ['spec.template.spec.containers[0].image | FieldValueRequired | Required value'],
    ],
    [
      'two containers of one name',
      deployment('same', {}, { containers: [container('a'), container('a')] }),
      ['spec.template.spec.containers[1].name | FieldValueDuplicate | Duplicate value: "a"'],
    ],
    [
      'negative replicas',
      deployment('negative', { replicas: -1 }),
      ['spec.replicas | FieldValueInvalid | Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'a mount of a volume that is not there',
      deployment(
        'mount',
        {},
        { containers: [container('main', 'i', { volumeMounts: [{ name: 'v', mountPath: '/v' }] })] },
      ),
      ['spec.template.spec.containers[0].volumeMounts[0].name | FieldValueNotFound | Not found: "v"'],
    ],
    [
      'a request above its limit',
      deployment(
        'resources',
        {},
        {
          containers: [
            container('main', 'i', { resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
          ],
        },
      ),
      [
        'spec.template.spec.containers[0].resources.requests | FieldValueInvalid | Invalid value: "2": must be less than or equal to cpu limit of 1',
      ],
    ],
    ...(
      [
        [
          'a resource without a domain',
          { limits: { gpu: 1 } },
          [
            '.limits[gpu] | FieldValueInvalid | Invalid value: "gpu": must be a standard resource type or fully qualified',
            '.limits[gpu] | FieldValueInvalid | Invalid value: "gpu": must be a standard resource for containers',
          ],
        ],
        [
          'a resource that containers do not have',
          { limits: { storage: 1 } },
          [
            '.limits[storage] | FieldValueInvalid | Invalid value: "storage": must be a standard resource for containers',
          ],
        ],
        [
          'an extended resource in parts',
          { limits: { 'example.test/gpu': '1500m' } },
          ['.limits[example.test/gpu] | FieldValueInvalid | Invalid value: "1500m": must be an integer'],
        ],
        [
          'an extended resource that is requested without a limit',
          { requests: { 'example.test/gpu': 1 } },
          [
            '.limits | FieldValueRequired | Required value: Limit must be set for non overcommitable resources',
          ],
        ],
        [
          'an extended resource whose limit is another than its request',
          { requests: { 'example.test/gpu': 1 }, limits: { 'example.test/gpu': 2 } },
          [
            '.requests | FieldValueInvalid | Invalid value: "1": must be equal to example.test/gpu limit of 2',
          ],
        ],
      ] as const
    ).map(([name, resources, wanted]): [string, object, string[]] => [
      name,
      deployment('extended', {}, { containers: [container('main', 'i', { resources })] }),
      wanted.map((one) => `spec.template.spec.containers[0].resources${one}`),
    ]),
    [
      'a port out of range',
      deployment(
        'port',
        {},
        { containers: [container('main', 'i', { ports: [{ containerPort: 70_000 }] })] },
      ),
      [
        'spec.template.spec.containers[0].ports[0].containerPort | FieldValueInvalid | Invalid value: 70000: must be between 1 and 65535, inclusive',
      ],
    ],
    [
      'a restart policy that a Deployment cannot have',
      deployment('restart', {}, { restartPolicy: 'Never' }),
      [
        'spec.template.spec.restartPolicy | FieldValueNotSupported | Unsupported value: "Never": supported values: "Always"',
      ],
    ],
  ])('%s', async (_, object, wanted) => {
    const answer = await api.post(api.path('deployments'), object);
    expect([answer.status, answer.body.reason]).toEqual([422, 'Invalid']);
    expect(causes(answer)).toEqual(wanted);
  });

  test('a field of the wrong type cannot be decoded', async () => {
    const answer = await api.post(api.path('deployments'), deployment('typed', { replicas: 'two' }));
    expect(said(answer)).toBe(
      '400 BadRequest: Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    );
  });

  test('a quantity that is none cannot be decoded', async () => {
    const answer = await api.post(
      api.path('deployments'),
      deployment(
        'quantity',
        {},
        { containers: [container('main', 'i', { resources: { limits: { cpu: 'lots' } } })] },
      ),
    );
    expect(said(answer)).toBe(
      '400 BadRequest: Deployment in version "v1" cannot be handled as a Deployment: quantities must match the regular expression \'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$\'',
    );
  });
});
