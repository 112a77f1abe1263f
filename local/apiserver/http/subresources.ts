/** Subresources beside status and scale: logs, eviction, binding, finalize. */
import { evictPod } from '../eviction.ts';
import { type AnyObject, cloneJson, isJson, jsonAt, textAt } from '../object.ts';
import { badRequest, methodNotAllowed, noSuchPath, notImplemented } from '../status-error.ts';
import { updateObject } from '../update.ts';
import { sendValue } from './answer.ts';
import { readBody } from './body.ts';
import { type Exchange, writeOptions } from './exchange.ts';
import { streamPodLog } from './pod-log.ts';
import { deleteOptions } from './query.ts';

const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

const itsProcess = 'a pod is a process of this machine, look at it with the machine’s own tools';
/** What a Pod has in a real cluster and not here, and what to do instead. */
const instead: Readonly<Record<string, string>> = {
  exec: itsProcess,
  attach: itsProcess,
  portforward:
    'its addresses can be reached from this machine as they are, see kubectl get services and kubectl get pods -o wide',
};

/** Serves a request on a subresource. */
export async function handleSubresource(exchange: Exchange): Promise<void> {
  const { kind, path, request, response } = exchange;
  const { name, subresource } = path;
  const advice = kind.plural === 'pods' && subresource !== undefined ? instead[subresource] : undefined;
  if (advice !== undefined) throw notImplemented(`the embedded cluster has no ${subresource}: ${advice}`);
  if (name === undefined || subresource === undefined || !(subresource in kind.subresources))
    throw noSuchPath();
  if (subresource === 'log') {
    if (request.method !== 'GET') throw methodNotAllowed();
    return streamPodLog(exchange, name);
  }
  if (subresource === 'finalize') return finalizeNamespace(exchange, name);
  if (request.method !== 'POST') throw methodNotAllowed();
  const { value } = await readBody(request);
  if (!isJson(value)) throw badRequest('the body is not an object');
  if (subresource === 'eviction') evict(exchange, name, value as AnyObject);
  else bind(exchange, name, value as AnyObject);
  sendValue(response, 201, success);
}

function evict({ registry, query, kind, path }: Exchange, name: string, body: AnyObject): void {
  evictPod(registry.core, kind, path.namespace ?? '', name, deleteOptions(query, body.deleteOptions));
}

function bind({ registry, path }: Exchange, name: string, body: AnyObject): void {
  const node = textAt(jsonAt(body, 'target'), 'name');
  if (node === '') throw badRequest('Binding needs target.name');
  registry.bind({ name, namespace: path.namespace ?? '' }, node);
}

/** The last step of a namespace's deletion, for clients that do it themselves. */
async function finalizeNamespace(exchange: Exchange, name: string): Promise<void> {
  const { registry, request, response, kind } = exchange;
  if (request.method !== 'PUT') throw methodNotAllowed();
  const { value } = await readBody(request);
  const finalizers = jsonAt(value, 'spec').finalizers ?? [];
  const make = (old: AnyObject): AnyObject => {
    const draft = cloneJson(old);
    draft.spec = { finalizers };
    return draft;
  };
  const object = updateObject(registry.core, kind, undefined, name, make, {
    ...writeOptions(exchange),
    subresource: 'finalize',
  });
  sendValue(response, 200, object);
}
