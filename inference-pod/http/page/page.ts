/** `GET /`: the model as a person wants to see it, and a form to try it. One document, nothing loaded from anywhere. */
import { createHash } from 'node:crypto';
import type { TensorSpec } from '../../../protocol/datatypes.ts';
import { type ExampleRequest, exampleText, inferPath, shellQuoted } from './example.ts';
import type { Figure } from './figures.ts';
import { Html, html } from './html.ts';
import { script } from './script.ts';
import { style } from './style.ts';

/** What the page says. */
export interface PageContent {
  readonly name: string;
  readonly version: string | undefined;
  readonly revision: string;
  readonly sha256: string;
  readonly serverVersion: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Undefined when ready. */
  readonly unreadiness: { readonly reason: string; readonly message: string } | undefined;
  readonly example: ExampleRequest | undefined;
  /** There is one, too long for a form: `/example.json` has it. */
  readonly hasLongExample: boolean;
  readonly figures: readonly Figure[];
  /** Where the reader reaches the pod, with a slash at the end, as far as the request says. */
  readonly base: string;
}

/** Longer examples are fetched by the command instead of standing in it. */
const longestInCommand = 2_000;

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing but the page's own script and style runs, and it talks to nobody but this pod. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `script-src ${hash(script)}`,
  `style-src ${hash(style)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M2 6h12l-2 8H4z' fill='%231a5fd0'/%3E%3Cpath d='M8 1v5' stroke='%231a5fd0' stroke-width='2'/%3E%3C/svg%3E";

/** The whole document. */
export const renderPage = (content: PageContent): string => {
  const { name, unreadiness, figures, example } = content;
  const hasSignature = content.inputs.length + content.outputs.length > 0;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name} – model</title>
<link rel="icon" href="${icon}">
<style>${new Html(style)}</style>
</head>
<body data-signature="${hasSignature ? 'yes' : 'no'}">
<main>
<header>
<h1>${name}</h1>
<span id="state" class="${unreadiness === undefined ? 'state ready' : 'state'}" role="status">${unreadiness === undefined ? 'Ready' : `Not ready: ${unreadiness.reason}`}</span>
</header>
<p id="why" class="hint">${unreadiness?.message}</p>
<dl class="facts">
${fact('version', content.version === content.revision ? undefined : content.version)}
${fact('revision', content.revision)}
${fact('sha256', content.sha256)}
</dl>
<div class="pair">
${tensors('Inputs', content.inputs)}
${tensors('Outputs', content.outputs)}
</div>
${trial(content, hasSignature)}
<section aria-labelledby="figures">
<h2 id="figures">Since the pod started</h2>
<dl class="figures">
${figures.map((figure) => html`<div><dt>${figure.label}</dt><dd id="figure-${figure.name}">${figure.text}</dd></div>`)}
</dl>
</section>
<footer>
<a href="openapi.json">OpenAPI</a>
<a href="v2/models/${encodeURIComponent(name)}">Metadata</a>
${example === undefined && !content.hasLongExample ? undefined : html`<a href="example.json">Example request</a>`}
<span>Ballast ${content.serverVersion}</span>
</footer>
</main>
<script>${new Html(script)}</script>
</body>
</html>
`;
  return page.text;
};

const fact = (label: string, text: string | undefined): Html | undefined =>
  text === undefined || text === ''
    ? undefined
    : html`<div><dt>${label}</dt><dd><code>${text}</code></dd></div>`;

const tensors = (
  title: string,
  specs: readonly TensorSpec[],
): Html => html`<section aria-labelledby="${title}">
<h2 id="${title}">${title}</h2>
${
  specs.length === 0
    ? html`<p class="hint">Not known yet.</p>`
    : html`<table>
<thead><tr><th scope="col">name</th><th scope="col">datatype</th><th scope="col">shape</th></tr></thead>
<tbody>
${specs.map((spec) => html`<tr><td><code>${spec.name}</code>${labelsOf(spec)}</td><td><code>${spec.datatype}</code></td><td><code>${shapeText(spec)}</code></td></tr>\n`)}</tbody>
</table>${specs.some(({ shape }) => shape.includes(-1)) ? html`\n<p class="hint">−1: any size.</p>` : undefined}`
}
</section>`;

/** So many names of classes are shown; the metadata has all. */
const mostLabels = 12;

const labelsOf = ({ labels }: TensorSpec): Html | undefined =>
  labels === undefined || labels.length === 0
    ? undefined
    : html`<p class="hint">classes: ${labels.slice(0, mostLabels).join(', ')}${labels.length > mostLabels ? ` and ${labels.length - mostLabels} more` : ''}</p>`;

const shapeText = ({ shape, anyShape }: TensorSpec) => (anyShape === true ? 'any' : `[${shape.join(', ')}]`);

const trial = (
  { name, example, hasLongExample, base }: PageContent,
  hasSignature: boolean,
): readonly Html[] => {
  if (example !== undefined) return [tryIt(name, example), command(name, example, base)];
  if (hasLongExample)
    return [
      hint('The example is too long for a form: example.json has it, and the command below sends it.'),
      command(name, undefined, base),
    ];
  return hasSignature
    ? [
        hint(
          'No example: the inputs cannot be written in JSON, or would be very large. Send binary tensors, as the Open Inference Protocol describes.',
        ),
      ]
    : [];
};

const hint = (text: string): Html =>
  html`<section aria-labelledby="try-title"><h2 id="try-title">Try it</h2><p class="hint">${text}</p></section>`;

const tryIt = (name: string, example: ExampleRequest): Html => html`<section aria-labelledby="try-title">
<h2 id="try-title">Try it</h2>
<form id="try" data-infer="${inferPath(name)}">
<label for="body">Request, made up from the inputs: put your own values in</label>
<textarea id="body" spellcheck="false" autocomplete="off" autocapitalize="off">
${exampleText(example)}</textarea>
<div class="buttons"><button id="send" class="main" type="submit">Send</button><button id="reset" type="button">Reset</button><kbd>Ctrl + Enter sends</kbd></div>
</form>
<div id="result" class="result" role="status" hidden><p id="line"></p><pre id="answer" tabindex="0"></pre></div>
</section>`;

const command = (name: string, example: ExampleRequest | undefined, base: string): Html => {
  const url = shellQuoted(`${base}${inferPath(name)}`);
  const inline = example === undefined ? undefined : JSON.stringify(example);
  const text =
    inline !== undefined && inline.length <= longestInCommand
      ? `curl -s ${url} -H 'content-type: application/json' -d ${shellQuoted(inline)}`
      : `curl -s ${shellQuoted(`${base}example.json`)} | curl -s ${url} -H 'content-type: application/json' --data-binary @-`;
  return html`<section aria-labelledby="command-title">
<div class="title"><h2 id="command-title">From a shell</h2><button id="copy" type="button" hidden>Copy</button></div>
<pre id="command" tabindex="0" data-base="${base}">${text}</pre>
</section>`;
};
