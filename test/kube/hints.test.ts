/** What `kube:up` tells of images and tools, without a cluster. */
import { delimiter } from 'node:path';
import { expect, test } from '@jest/globals';
import { imagesHint, toolsHint } from './hints.ts';

test.each([
  [0, 0, undefined],
  [2, 2, undefined],
  [2, 1, expect.stringContaining('run "npm run images:build" first')],
  [1, 0, expect.stringContaining('run "npm run images:build" first')],
])('%i nodes and %i images', (nodes, images, want) => {
  expect(imagesHint(nodes, images)).toEqual(want);
});

const tools = { kubectl: '/b/kubectl', helm: '/b/helm', binDir: '/b' };

test('tools that the PATH does not name come with the line to copy', () => {
  expect(toolsHint(tools, ['/usr/bin', '/bin'].join(delimiter))).toEqual([
    'kubectl and helm are in /b:',
    'export PATH=/b:$PATH',
  ]);
  expect(toolsHint(tools, ['/usr/bin', '/b'].join(delimiter))).toEqual(['kubectl and helm are in /b']);
});

test('where this checkout has none, the user needs their own', () => {
  expect(toolsHint({ kubectl: 'kubectl', helm: 'helm' }, '/bin')).toEqual([
    expect.stringContaining('your own'),
  ]);
});
