/** The file of fleet-wide defaults: what it may say, checked as strictly as a ModelDeployment. */
import { X509Certificate } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { loadAll } from 'js-yaml';
import { z } from 'zod';
import { podSchema } from '../../crds/spec/pod.ts';
import { runtimeSchema } from '../../crds/spec/runtime.ts';
import { accessSchema } from '../../crds/spec/traffic.ts';
import { keyProblems } from '../model/check-keys.ts';
import { resourcesOf } from '../model/desired/pod-template.ts';
import type { FleetDefaults } from '../model/snapshot.ts';

/** The bundle lies in a ConfigMap of each model that is fetched, and in the operator's memory as often. */
const longestBundle = 32_768;

const proxy = z
  .string()
  .max(512)
  .refine((text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, hostname, pathname, search } = new URL(text);
    return /^https?:$/.test(protocol) && hostname !== '' && pathname === '/' && search === '';
  }, 'write http://HOST:PORT or https://HOST:PORT')
  .refine((text) => {
    if (!URL.canParse(text)) return true;
    const { username, password } = new URL(text);
    return username === '' && password === '';
  }, 'it holds a user name or password, which everyone who may read ConfigMaps would see: use a proxy that needs none');

/** Whether a text is ADDRESS/PREFIX as the pods' address policy reads it. */
function isCidr(text: string): boolean {
  const [address = '', prefix = '', ...rest] = text.split('/');
  if (rest.length > 0 || isIP(address) === 0 || !/^\d{1,3}$/.test(prefix)) return false;
  try {
    new BlockList().addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4');
    return true;
  } catch {
    return false;
  }
}
const cidr = z.string().max(64).refine(isCidr, 'write a range such as 10.1.0.0/16');

const bypass = z
  .string()
  .max(253)
  .refine(
    (text) =>
      text === '*' || isIP(text) !== 0 || isCidr(text) || /^\.?[A-Za-z0-9]([-.A-Za-z0-9]*)$/.test(text),
    'write a name, an address, a range, or *',
  );

const certificates = z
  .string()
  .max(
    longestBundle,
    `it is longer than ${longestBundle} characters: name only your own authorities, the public ones are known`,
  )
  .refine((text) => {
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    try {
      for (const block of blocks) new X509Certificate(block);
    } catch {
      return false;
    }
    return blocks.length > 0;
  }, 'write certificates in PEM form')
  .refine((text) => !text.includes('PRIVATE KEY'), 'it holds a private key: only certificates belong here');

const fileSchema = z.strictObject({
  image: runtimeSchema.shape.image,
  resources: runtimeSchema.shape.resources,
  pod: podSchema
    .omit({ serviceAccountName: true })
    .refine(
      ({ labels = {} }) =>
        !Object.keys(labels).some((key) => /^(ballast\.dev|app\.kubernetes\.io)\//.test(key)),
      {
        path: ['labels'],
        message: 'labels that start with ballast.dev/ or app.kubernetes.io/ belong to the operator',
      },
    )
    .optional(),
  gateway: z.strictObject({ resources: runtimeSchema.shape.resources }).optional(),
  networkPolicy: accessSchema.shape.networkPolicy,
  fetch: z
    .strictObject({
      httpsProxy: proxy.optional(),
      httpProxy: proxy.optional(),
      noProxy: z.array(bypass).max(64).optional(),
      caBundle: certificates.optional(),
      caBundleFile: z
        .string()
        .regex(/^[\w][\w.-]*$/, 'write the name of a file beside this one')
        .optional(),
      allowModelCidrs: z.array(cidr).max(64).optional(),
    })
    .optional(),
});

/** The defaults of a file; `image` stands beside what only the operator's flags could say before. */
export type DefaultsFile = FleetDefaults & { readonly image?: string | undefined };

/** The file does not say what it may; the message names the field. */
export class DefaultsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DefaultsError';
  }
}

/**
 * Reads the text of a defaults file; throws a `DefaultsError` that names each wrong field. An empty one says nothing.
 * `beside` reads a file of the same folder: certificates come in a ConfigMap of their own where something else keeps them.
 */
export function parseDefaults(text: string, beside: (file: string) => string = () => ''): DefaultsFile {
  let value: unknown;
  try {
    const documents = loadAll(text);
    if (documents.length > 1) throw new Error('it has several documents');
    [value] = documents;
  } catch (error) {
    throw new DefaultsError(`is no YAML: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
  }
  const parsed = fileSchema.safeParse(value ?? {});
  if (!parsed.success) throw new DefaultsError(parsed.error.issues.map(issueText).join('; '));
  const { resources, pod } = parsed.data;
  const runtime = {
    ...(resources === undefined ? {} : { resources }),
    ...(pod === undefined ? {} : { pod }),
  };
  const keys = keyProblems({ model: { uri: '' }, scaling: { mode: 'SLA', replicas: 1 }, runtime });
  const problems = keys.map(({ field, message }) => `${field.replace('spec.runtime.', '')}: ${message}`);
  problems.push(
    ...requestsAboveLimits(parsed.data),
    ...requestsAboveLimits(parsed.data.gateway ?? {}).map((text) => `gateway.${text}`),
  );
  if (problems.length > 0) throw new DefaultsError(problems.join('; '));
  const { fetch, ...rest } = parsed.data;
  return fetch === undefined ? rest : { ...rest, fetch: withBundle(fetch, beside) };
}

/** What the file says of fetching, the certificates of the file beside it put in. */
function withBundle(
  { caBundleFile, ...fetch }: NonNullable<z.output<typeof fileSchema>['fetch']>,
  beside: (file: string) => string,
): NonNullable<DefaultsFile['fetch']> {
  if (caBundleFile === undefined) return fetch;
  if (fetch.caBundle !== undefined)
    throw new DefaultsError('fetch.caBundleFile: fetch.caBundle is given too, choose one');
  const parsed = certificates.safeParse(beside(caBundleFile));
  if (!parsed.success)
    throw new DefaultsError(`fetch.caBundleFile: ${caBundleFile}: ${parsed.error.issues[0]?.message}`);
  return { ...fetch, caBundle: parsed.data };
}

function issueText(issue: z.core.$ZodIssue): string {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `unknown key ${[...issue.path, key].join('.')}`).join('; ');
  return `${path === '' ? 'the file' : path}: ${issue.message}`;
}

function requestsAboveLimits({ resources }: DefaultsFile): string[] {
  if (resources?.requests === undefined || resources.limits === undefined) return [];
  const { requests = {}, limits = {} } = resourcesOf({ resources });
  const bounded = resourcesOf(
    { resources: { limits: resources.limits } },
    { resources: { requests: resources.requests } },
  );
  return Object.keys(requests)
    .filter((name) => bounded.requests?.[name] !== requests[name])
    .map((name) => `resources.requests.${name}: ${requests[name]} is more than the limit of ${limits[name]}`);
}
