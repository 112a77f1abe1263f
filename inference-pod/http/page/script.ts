/**
 * What the page does in the browser: sends what was edited, shows the answer, copies the command, and keeps readiness and
 * figures up to date while somebody looks. Text only ever goes in as text.
 */
export const script = `
'use strict';
const $ = (id) => document.getElementById(id);
const put = (id, text) => { const node = $(id); if (node && node.textContent !== text) node.textContent = text; };
const form = $('try');
if (form) {
  const body = $('body'), send = $('send'), result = $('result'), line = $('line'), answer = $('answer');
  const example = body.value;
  const say = (good, text, shown) => {
    line.className = good ? 'good' : 'bad';
    line.textContent = text;
    answer.textContent = shown;
    answer.hidden = shown === '';
    result.hidden = false;
  };
  const pretty = (text) => {
    try {
      return JSON.stringify(JSON.parse(text), null, 2).replace(/\\[\\s*(-?[\\w.+"-][^\\[\\]{}]*?)\\s*\\]/g, (_, inner) => '[' + inner.replace(/,\\n\\s*/g, ', ') + ']');
    } catch { return text; }
  };
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try { JSON.parse(body.value); } catch (error) {
      say(false, 'This is not JSON: ' + error.message, '');
      body.focus();
      return;
    }
    send.disabled = true;
    const from = performance.now();
    try {
      const response = await fetch(form.dataset.infer, { method: 'POST', headers: { 'content-type': 'application/json' }, body: body.value });
      const text = await response.text();
      const ms = (performance.now() - from).toFixed(1);
      // What is exact in the text (64-bit integers) would not be after parsing: long numbers are shown as they came.
      say(response.ok, response.status + ' ' + response.statusText + ' in ' + ms + ' ms', /[0-9]{16}/.test(text) ? text : pretty(text));
    } catch (error) {
      say(false, 'No answer: ' + error.message, '');
    }
    send.disabled = false;
    refresh();
  });
  body.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
  });
  $('reset').addEventListener('click', () => { body.value = example; result.hidden = true; body.focus(); });
}
const command = $('command');
if (command) {
  // The address by which the reader came is the one that works for the reader.
  const base = location.origin + location.pathname.replace(/[^/]*$/, '');
  command.textContent = command.textContent.split(command.dataset.base).join(base);
  const copy = $('copy');
  copy.hidden = false;
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(command.textContent);
      copy.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(command);
      copy.textContent = document.execCommand('copy') ? 'Copied' : 'Selected';
    }
    setTimeout(() => { copy.textContent = 'Copy'; }, 2000);
  });
}
let hadSignature = document.body.dataset.signature === 'yes';
const refresh = async () => {
  try {
    const now = await (await fetch(location.pathname, { headers: { accept: 'application/json' } })).json();
    if (!hadSignature && now.inputs.length + now.outputs.length > 0) location.reload();
    const state = $('state');
    state.className = now.ready ? 'state ready' : 'state';
    put('state', now.ready ? 'Ready' : 'Not ready: ' + now.reason);
    put('why', now.ready ? '' : now.message);
    for (const [name, text] of Object.entries(now.figures)) put('figure-' + name, text);
  } catch {
    $('state').className = 'state';
    put('state', 'Not reachable');
  }
};
setInterval(() => { if (!document.hidden) refresh(); }, 5000);
`;
