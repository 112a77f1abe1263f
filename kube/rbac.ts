/** A 403 of the authorizer, read: which rule is missing, and how to add it and see that it is there. */
import { ApiError } from './errors.ts';

/** What a role would have to say. */
export interface MissingRule {
  readonly verb: string;
  /** Plural, with the subresource: `modeldeployments/status`. */
  readonly resource: string;
  readonly group: string;
  /** Undefined: for the whole cluster. */
  readonly namespace: string | undefined;
  /** Who asked, as the server names it: `system:serviceaccount:ballast:ballast`. */
  readonly user: string | undefined;
}

const refusal =
  /(?:User "([^"]*)" )?cannot (\w+) resource "([^"]+)"(?: in API group "([^"]*)")?(?: in the namespace "([^"]*)")?/;

/** The rule that a refused call lacks; undefined for any other error, admission's 403 among them. */
export function missingRule(error: unknown): MissingRule | undefined {
  if (!(error instanceof ApiError) || error.code !== 403) return undefined;
  const [, user, verb, resource, group = '', namespace] = refusal.exec(error.message) ?? [];
  return verb === undefined || resource === undefined
    ? undefined
    : { verb, resource, group, namespace, user };
}

/** `patch deployments.apps in namespace shop` */
export function ruleText({ verb, resource, group, namespace }: MissingRule): string {
  const [plural = '', subresource] = resource.split('/');
  const name = `${group === '' ? plural : `${plural}.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  return `${verb} ${name}${namespace === undefined ? ' in the cluster' : ` in namespace ${namespace}`}`;
}

/** What to do about it, in one sentence with the command that checks it. */
export function ruleRemedy(rule: MissingRule): string {
  const { verb, resource, group, namespace, user } = rule;
  const [plural = '', subresource] = resource.split('/');
  const role =
    namespace === undefined ? 'its ClusterRole' : `its Role in namespace ${namespace}, or its ClusterRole`;
  const command = [
    `kubectl auth can-i ${verb} ${group === '' ? plural : `${plural}.${group}`}`,
    subresource === undefined ? '' : ` --subresource=${subresource}`,
    namespace === undefined ? '' : ` -n ${namespace}`,
    user === undefined ? '' : ` --as ${user}`,
  ].join('');
  return `add the verb ${verb} on the resource ${resource} (apiGroup "${group}") to ${role}; check it with: ${command}`;
}
