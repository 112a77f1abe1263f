/** Rows about where models come from: a PersistentVolumeClaim, an HTTPS server with a private authority; and a model that eats memory. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import { infiniteLoop, memoryOnDemand } from '../../../inference-pod/testing/models.ts';
import { until } from '../../until.ts';
import { type Bed, namespace, root, sampleFile } from './bed.ts';
import { expectGolden } from './golden.ts';

const claim = 'models';
/** A model whose first run, the warm-up, never ends. */
export const endlessModel = `pvc://${claim}/endless.onnx`;

/** Makes a volume on the machine's disk that holds models, and a claim on it. */
export async function makeModelVolume(bed: Bed): Promise<void> {
  const folder = join(bed.cluster.dir, 'models');
  mkdirSync(join(folder, 'wine'), { recursive: true });
  const files: Record<string, Uint8Array> = {
    'wine/model.onnx': readFileSync(join(root, 'samples/wine/model.onnx')),
    'endless.onnx': infiniteLoop(),
    'hungry.onnx': memoryOnDemand(),
  };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  // Pods run as a user of their own.
  for (const path of ['', 'wine']) chmodSync(join(folder, path), 0o755);
  const size = { storage: '1Gi' };
  const modes = ['ReadOnlyMany'];
  await bed.apply({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: claim },
    spec: {
      capacity: size,
      accessModes: modes,
      storageClassName: '',
      hostPath: { path: folder },
      claimRef: { namespace, name: claim },
    },
  });
  await bed.apply({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: claim },
    spec: { accessModes: modes, storageClassName: '', resources: { requests: size }, volumeName: claim },
  });
}

/** Rows of this file. */
export function sourceRows(bed: Bed): void {
  const runtime = {
    resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '256Mi' } },
  };

  describe('a model', () => {
    test('on a PersistentVolumeClaim is served', async () => {
      await bed.model('from-claim', { model: { uri: `pvc://${claim}/wine/model.onnx` }, runtime });
      await bed.untilReady('from-claim');
      const { status, text } = await bed.infer('from-claim', sampleFile('wine', 'golden/request.json'));
      expect(status).toBe(200);
      expectGolden('wine', JSON.parse(text));
    });

    test('on an HTTPS server of a private authority is fetched and served', async () => {
      await bed.model('from-server', { model: { uri: `${bed.server.url}/wine.onnx` }, runtime });
      await bed.untilReady('from-server');
      const { status, text } = await bed.infer('from-server', sampleFile('wine', 'golden/request.json'));
      expect(status).toBe(200);
      expectGolden('wine', JSON.parse(text));
      expect(bed.server.asked).toContain('/wine.onnx');
      bed.say('models from a PersistentVolumeClaim and from a private HTTPS server answer');
    });

    test('that takes more memory than its limit is named with the limit, and its pod comes back', async () => {
      await bed.model('hungry', { model: { uri: `pvc://${claim}/hungry.onnx` }, runtime });
      await bed.untilReady('hungry');
      const floats = 200 << 20;
      const body = JSON.stringify({
        inputs: [{ name: 'size', datatype: 'INT64', shape: [1], data: [floats] }],
      });
      const startMs = Date.now();
      await request(`${await bed.urlOf('hungry')}/infer`, { method: 'POST', body }).catch(() => undefined);
      const failure = await until('the failure is told', async () =>
        (await bed.read('hungry')).status?.failures?.find(({ reason }) => reason === 'OutOfMemory'),
      );
      bed.say(
        `out of memory, told after ${((Date.now() - startMs) / 1_000).toFixed(1)} s: ${failure.message}`,
      );
      expect(failure).toMatchObject({ container: 'serve', message: expect.stringContaining('256') });
      await bed.untilReady('hungry');
    });
  });
}
