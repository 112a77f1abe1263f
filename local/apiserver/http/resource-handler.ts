/** Requests on resources: from path, method and body to the registry, and back. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { checkDecodable, checkUnknownFields, present, storedOrThrow } from '../core.ts';
import { createObject } from '../create.ts';
import { deleteObject } from '../delete.ts';
import { groupVersionOf, type Kind } from '../kind.ts';
import { type AnyObject, encodeFrozen, isJson } from '../object.ts';
import { type PatchType, patchObject, patchTypes } from '../patching.ts';
import { type ListResult, listObjects } from '../read.ts';
import type { Registry } from '../registry.ts';
import { scaleOf, withScale } from '../scale.ts';
import {
  badRequest,
  fault,
  invalid,
  methodNotAllowed,
  noSuchPath,
  unsupportedMediaType,
} from '../status-error.ts';
import { updateObject } from '../update.ts';
import { parseAccept, type Wanted } from './accept.ts';
import { addWarning, sendText, sendValue } from './answer.ts';
import { readBody } from './body.ts';
import { type Exchange, sendObject, writeOptions } from './exchange.ts';
import { compact, deleteOptions, listQuery, writeQuery } from './query.ts';
import type { ResourcePath } from './request-info.ts';
import { answerReview, isReview } from './reviews.ts';
import { shapeFor } from './shape.ts';
import { handleSubresource } from './subresources.ts';
import { streamWatch } from './watch-stream.ts';

/** Serves one request on a resource. */
export async function handleResource(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  path: ResourcePath,
  query: URLSearchParams,
): Promise<void> {
  const kind = registry.core.catalog.find(path.group, path.version, path.plural);
  if (kind === undefined || (path.namespace !== undefined && !kind.namespaced)) throw noSuchPath();
  if (kind.deprecation !== undefined) addWarning(response, kind.deprecation);
  const exchange: Exchange = { registry, request, response, path, query, kind };
  if (path.subresource !== undefined && path.subresource !== 'status' && path.subresource !== 'scale')
    return handleSubresource(exchange);
  if (path.subresource === 'status' && !kind.hasStatus) throw noSuchPath();
  if (path.subresource === 'scale' && kind.scale === undefined) throw noSuchPath();
  if (kind.namespaced && path.namespace === undefined && path.name !== undefined) throw noSuchPath();
  if (path.name === undefined) return handleCollection(exchange);
  return handleObject(exchange, path.name);
}

async function handleCollection(exchange: Exchange): Promise<void> {
  const { registry, request, response, path, query, kind } = exchange;
  const wanted = parseAccept(request.headers.accept);
  const where = kind.namespaced && path.namespace !== undefined ? { namespace: path.namespace } : {};
  if (request.method === 'GET') {
    if (!kind.verbs.includes('list')) throw methodNotAllowed();
    const { watch, timeoutSeconds, options } = listQuery(query);
    const selection = { ...compact(options), ...where };
    if (watch || path.watchPrefix) {
      const stream = { ...selection, ...compact({ timeoutSeconds }) };
      return streamWatch(registry, kind, response, stream, shapeFor(exchange, wanted)?.event);
    }
    if (options.sendInitialEvents !== undefined) throw noInitialEvents();
    return sendList(exchange, wanted, listObjects(registry.core, kind, selection));
  }
  if (request.method === 'POST') {
    if (kind.namespaced && path.namespace === undefined) throw methodNotAllowed();
    const { value, decodingFaults } = await readBody(request);
    if (isReview(kind)) return sendValue(response, 201, answerReview(kind, value));
    const options = writeOptions(exchange);
    const created = createObject(registry.core, kind, value as AnyObject, {
      ...options,
      ...where,
      decodingFaults,
    });
    return sendObject(exchange, wanted, 201, created);
  }
  if (request.method === 'DELETE') {
    const body = await readBody(request);
    const { options } = listQuery(query);
    const found = listObjects(registry.core, kind, { ...compact(options), ...where });
    const deletion = deleteOptions(query, body.value);
    for (const { metadata } of found.items)
      deleteObject(registry.core, kind, metadata.namespace, metadata.name ?? '', deletion);
    return sendList(exchange, wanted, { ...found, resourceVersion: String(registry.core.storage.revision) });
  }
  throw methodNotAllowed();
}

async function handleObject(exchange: Exchange, name: string): Promise<void> {
  const { registry, request, response, path, query, kind } = exchange;
  const { core } = registry;
  const wanted = parseAccept(request.headers.accept);
  const { namespace, subresource } = path;
  switch (request.method) {
    case 'GET': {
      const { watch, timeoutSeconds, options } = listQuery(query);
      if (watch || path.watchPrefix) {
        const selection = {
          ...compact(options),
          ...compact({ namespace, timeoutSeconds }),
          fieldSelector: `metadata.name=${name}`,
        };
        return streamWatch(registry, kind, response, selection, shapeFor(exchange, wanted)?.event);
      }
      const object = present(kind, storedOrThrow(core, kind, namespace, name));
      return sendObject(exchange, wanted, 200, subresource === 'scale' ? scaleOf(kind, object) : object);
    }
    case 'PUT': {
      const { value, decodingFaults } = await readBody(request);
      if (!isJson(value)) throw badRequest('the body is not an object');
      const body = value as AnyObject;
      const options = {
        ...writeOptions(exchange),
        ...compact({ subresource }),
        isReplace: true,
        decodingFaults,
      };
      if (subresource !== 'scale') checkDecodable(kind, body);
      if (
        kind.strategy.createOnUpdate === true &&
        subresource === undefined &&
        core.storage.get(kind.collection, kind.namespaced ? `${namespace}/${name}` : name) === undefined
      )
        return sendObject(
          exchange,
          wanted,
          201,
          createObject(core, kind, withoutVersion(body), { ...options, ...compact({ namespace }) }),
        );
      if (subresource !== 'scale') checkUnknownFields(kind, body, options);
      const make = (old: AnyObject) => (subresource === 'scale' ? withScale(kind, old, body) : body);
      const updated = updateObject(core, kind, namespace, name, make, options);
      return sendObject(exchange, wanted, 200, subresource === 'scale' ? scaleOf(kind, updated) : updated);
    }
    case 'PATCH': {
      const { value, mediaType } = await readBody(request);
      if (!Object.values<string>(patchTypes).includes(mediaType))
        throw unsupportedMediaType(Object.values(patchTypes));
      const { force } = writeQuery(query, request.method);
      const options = {
        ...writeOptions(exchange),
        ...compact({ subresource, force }),
        patchType: mediaType as PatchType,
      };
      const { object, created } = patchObject(core, kind, namespace, name, value, options);
      return sendObject(
        exchange,
        wanted,
        created ? 201 : 200,
        subresource === 'scale' ? scaleOf(kind, object) : object,
      );
    }
    case 'DELETE': {
      if (subresource !== undefined) throw methodNotAllowed();
      const { value } = await readBody(request);
      const { gone, object } = deleteObject(core, kind, namespace, name, deleteOptions(query, value));
      if (!gone || answersObject.has(kind.collection)) return sendObject(exchange, wanted, 200, object);
      return sendValue(response, 200, {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Success',
        details: {
          name,
          ...(kind.group === '' ? {} : { group: kind.group }),
          kind: kind.plural,
          uid: object.metadata.uid,
        },
      });
    }
    default:
      throw methodNotAllowed();
  }
}

/** A PUT that creates does not ask which version it was meant to replace. */
function withoutVersion(body: AnyObject): AnyObject {
  if (!isJson(body.metadata)) return body;
  const { resourceVersion: _, ...metadata } = body.metadata as AnyObject['metadata'];
  return { ...body, metadata };
}

/** Kinds whose deletion is answered with the object instead of a Status. */
const answersObject = new Set(
  'namespaces persistentvolumeclaims persistentvolumes pods podtemplates resourcequotas serviceaccounts services storageclasses'.split(
    ' ',
  ),
);

/** Items of a list of built-in kinds carry neither kind nor apiVersion; both stand first in every stored object. */
function encodeListed(kind: Kind, item: AnyObject): string {
  const text = encodeFrozen(item);
  const head = `{"apiVersion":"${groupVersionOf(kind)}","kind":"${kind.kind}",`;
  return text.startsWith(head) ? `{${text.slice(head.length)}` : text;
}

function noInitialEvents() {
  const type = { group: 'meta.k8s.io', plural: 'listoptions', kind: 'ListOptions' };
  return invalid(type, '', [fault.forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list')]);
}

function sendList(exchange: Exchange, wanted: Wanted, list: ListResult): void {
  const { kind, response } = exchange;
  const shape = shapeFor(exchange, wanted);
  if (shape !== undefined) {
    sendValue(response, 200, shape.list(list), wanted.format);
    return;
  }
  const metadata = compact({
    resourceVersion: list.resourceVersion,
    continue: list.continue,
    remainingItemCount: list.remainingItemCount,
  });
  const head = { kind: kind.listKind, apiVersion: groupVersionOf(kind), metadata };
  if (wanted.format === 'yaml') {
    sendValue(response, 200, { ...head, items: list.items }, 'yaml');
    return;
  }
  const items = list.items.map(kind.custom ? encodeFrozen : (item) => encodeListed(kind, item)).join(',');
  sendText(response, 200, `${JSON.stringify(head).slice(0, -1)},"items":[${items}]}`);
}
