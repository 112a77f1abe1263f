/** What the pod says of its model to people and their tools: `/`, `/openapi.json`, `/example.json`. */
import type { Request, Response } from 'express';
import type { ModelSignature } from '../../../protocol/datatypes.ts';
import { sendError, sendJson } from '../answer.ts';
import { openApiDocument } from '../openapi.ts';
import { type ExampleRequest, exampleRequest } from './example.ts';
import type { Figure } from './figures.ts';
import { contentSecurityPolicy, renderPage } from './page.ts';

export interface PageContext {
  readonly modelName: string;
  readonly modelVersion: string | undefined;
  readonly serverVersion: string;
  readonly revision: string;
  modelSha256(): string;
  signature(): ModelSignature | undefined;
  unreadiness(): { reason: string; message: string } | undefined;
  figures(): readonly Figure[];
  /** The size that a dimension which may have any was warmed up with. */
  freeSize(): number;
}

type Get = (path: string, handle: (request: Request, response: Response) => void) => void;

/** The page and the OpenAPI document show an example of so many characters; beyond it there is only `/example.json`. */
const longestShown = 20_000;

interface Example {
  /** Undefined when it is too long to be shown. */
  readonly shown: ExampleRequest | undefined;
  readonly text: string;
}

/** Makes the example once for as long as the model stays the same: that of an image has 150,000 numbers. */
const rememberExample = (context: PageContext): (() => Example | undefined) => {
  let madeFor: { signature: ModelSignature; freeSize: number } | undefined;
  let example: Example | undefined;
  return () => {
    const signature = context.signature();
    if (signature === undefined) return undefined;
    const freeSize = context.freeSize();
    if (madeFor?.signature !== signature || madeFor.freeSize !== freeSize) {
      madeFor = { signature, freeSize };
      const made = exampleRequest(signature, freeSize);
      const text = JSON.stringify(made);
      example = made && { shown: text.length <= longestShown ? made : undefined, text };
    }
    return example;
  };
};

/** Adds the routes. */
export const addPageRoutes = (get: Get, context: PageContext): void => {
  const example = rememberExample(context);
  get('/', (request, response) => {
    response.setHeader('vary', 'accept');
    response.setHeader('cache-control', 'no-store');
    if (request.accepts(['json', 'html']) === 'html') sendPage(request, response, context, example());
    else sendJson(response, 200, JSON.stringify(overview(context), null, 2));
  });
  get('/openapi.json', (_request, response) => {
    const document = openApiDocument({
      name: context.modelName,
      version: context.modelVersion,
      serverVersion: context.serverVersion,
      signature: context.signature(),
      example: example()?.shown,
    });
    sendJson(response, 200, JSON.stringify(document, null, 2));
  });
  get('/example.json', (_request, response) => {
    const made = example();
    if (made === undefined)
      sendError(
        response,
        404,
        'there is no example: the inputs have no JSON form, are too large, or are not known yet',
      );
    else sendJson(response, 200, made.text);
  });
};

const overview = (context: PageContext) => {
  const why = context.unreadiness();
  const signature = context.signature();
  return {
    name: context.modelName,
    version: context.modelVersion,
    revision: context.revision,
    sha256: context.modelSha256(),
    ready: why === undefined,
    ...why,
    inputs: signature?.inputs ?? [],
    outputs: signature?.outputs ?? [],
    figures: Object.fromEntries(context.figures().map(({ name, text }) => [name, text])),
    links: {
      metadata: `v2/models/${encodeURIComponent(context.modelName)}`,
      openapi: 'openapi.json',
      example: 'example.json',
    },
  };
};

const sendPage = (
  request: Request,
  response: Response,
  context: PageContext,
  example: Example | undefined,
) => {
  const signature = context.signature();
  const body = Buffer.from(
    renderPage({
      name: context.modelName,
      version: context.modelVersion,
      revision: context.revision,
      sha256: context.modelSha256(),
      serverVersion: context.serverVersion,
      inputs: signature?.inputs ?? [],
      outputs: signature?.outputs ?? [],
      unreadiness: context.unreadiness(),
      example: example?.shown,
      hasLongExample: example !== undefined && example.shown === undefined,
      figures: context.figures(),
      base: baseOf(request.headers.host),
    }),
  );
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': body.length,
    'content-security-policy': contentSecurityPolicy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
  });
  response.end(body);
};

/** The address by which the caller came; the page's script puts in the one that the browser shows. */
const baseOf = (host: string | undefined): string =>
  `http://${host !== undefined && /^[\w.-]{1,253}(:\d{1,5})?$|^\[[\da-f:.]{2,45}\](:\d{1,5})?$/i.test(host) ? host : 'localhost:8080'}/`;
