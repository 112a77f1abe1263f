/** What GitOps tools do to a ModelDeployment, and what they make of it: the same cases on either server. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Body } from '../conformance/support/client.ts';
import { at, said } from '../conformance/support/words.ts';
import { missingImage, openGround } from './ground.ts';
import { argoHealth } from './lua.ts';
import { expectedHealth, record } from './recorded.ts';

type Fields = Record<string, unknown>;

const uri = 'file:///samples/wine/model.onnx';

export interface CasesOptions {
  readonly version: '35' | '32';
  readonly helmMajor: number;
  /** What kstatus makes of an object: needs Go. */
  readonly kstatus?: (object: unknown) => { status: string; message: string };
}

/** Registers the cases. */
export async function gitopsCases({ version, helmMajor, kstatus }: CasesOptions): Promise<void> {
  const ground = await openGround(version);
  const { api, models, kubectl, tryKubectl, startKubectl, file, dir } = ground;
  beforeAll(() => ground.start(), 60_000);

  const manifest = (name: string, spec: Fields = {}, labels: Fields = {}) => ({
    apiVersion: 'ballast.dev/v1alpha1',
    kind: 'ModelDeployment',
    metadata: { name, ...(Object.keys(labels).length === 0 ? {} : { labels }) },
    spec: { model: { uri }, ...spec },
  });
  const apply = (
    manager: string,
    body: { metadata: { name: string } },
    query: Record<string, string | boolean> = {},
  ) => api.apply(`${models}/${body.metadata.name}`, manager, body, { force: true, ...query });
  const condition = (body: Body, type: string) =>
    ((at(body, 'status.conditions') ?? []) as { type: string; status: string; reason: string }[]).find(
      (one) => one.type === type,
    );
  /** Both judges of one state; the state is recorded where that is asked for. */
  const judge = (phase: string, object: Body) => {
    record(phase, object);
    const wanted = expectedHealth(phase);
    expect([phase, argoHealth(object).status]).toEqual([phase, wanted.argo]);
    if (kstatus !== undefined) expect([phase, kstatus(object).status]).toEqual([phase, wanted.kstatus]);
  };
  const writtenChildren = async (name: string) => {
    const found: Record<string, string> = {};
    for (const plural of [
      'deployments',
      'services',
      'configmaps',
      'controllerrevisions',
      'poddisruptionbudgets',
    ])
      for (const { metadata } of (
        await api.get(api.path(plural), { labelSelector: `ballast.dev/model-deployment=${name}` })
      ).body.items)
        found[`${plural}/${metadata.name}`] = JSON.stringify([
          metadata.uid,
          metadata.generation,
          metadata.annotations,
        ]);
    return found;
  };

  /** A release that comes to nothing, in the least time that may be. Whoever looks at one begins it early: others run meanwhile. */
  const failing = { runtime: { image: missingImage }, rollout: { progressDeadline: '10s' } };

  const chart = (name: string, spec: Fields) => {
    mkdirSync(join(dir, name, 'templates'), { recursive: true });
    file(`${name}/Chart.yaml`, `apiVersion: v2\nname: ${name}\nversion: 0.1.0\n`);
    writeFileSync(join(dir, name, 'templates/model.yaml'), JSON.stringify(manifest(name, spec)));
  };
  let broken: Promise<string> | undefined;
  beforeAll(async () => {
    expect(said(await api.post(models, manifest('bad', failing)))).toBe('201');
    chart('broken', failing);
    broken = ground.helm('install broken broken --wait --timeout 40s').catch((error: Error) => error.message);
  });

  describe('kubectl wait', () => {
    test('ends when a good release serves, not before', async () => {
      await ground.hold(true);
      expect(await kubectl('apply -f -', JSON.stringify(manifest('good')))).toContain('created');
      const unseen = await api.post(models, manifest('unseen'), { dryRun: 'All' });
      expect(unseen.body.status).toEqual({ observedGeneration: 0 });
      judge('Unseen', unseen.body);
      const waits = startKubectl('wait modeldeployment/good --for=condition=Ready --timeout=60s');
      judge('Pending', await ground.untilPhase('good', 'Pending'));
      expect(waits.text()).toBe('');
      await ground.hold(false);
      expect(await waits.ended).toMatchObject({ code: 0, out: expect.stringContaining('condition met') });
      expect(condition(await ground.model('good'), 'Ready')?.status).toBe('True');
      await kubectl('wait md/good --for=jsonpath={.status.summary.phase}=Ready --timeout=60s');
      judge('Ready', await ground.untilPhase('good', 'Ready'));
    });

    test('does not take the Ready of the spec before for that of the one just written', async () => {
      await ground.hold(true);
      await kubectl(`patch md good --type merge -p '{"spec":{"model":{"version":"2"}}}'`);
      const waits = startKubectl('wait md/good --for=condition=Ready --timeout=60s');
      judge('RollingOut', await ground.untilPhase('good', 'RollingOut'));
      expect(waits.text()).toBe('');
      await ground.hold(false);
      expect((await waits.ended).code).toBe(0);
      const model = await ground.model('good');
      expect([condition(model, 'Ready')?.status, at(model, 'status.stable.version')]).toEqual(['True', '2']);
    });

    test('sees a failed release: Stalled, and never Ready', async () => {
      await kubectl(`patch md good --type merge -p '${JSON.stringify({ spec: failing })}'`);
      await kubectl('wait md/good --for=condition=Stalled --timeout=60s');
      judge('Degraded', await ground.untilPhase('good', 'Degraded'));
      const answer = await tryKubectl('wait md/good --for=condition=Ready --timeout=1s');
      expect([answer.code, answer.err]).toEqual([1, expect.stringContaining('timed out')]);
      expect(condition(await ground.model('good'), 'Available')?.status).toBe('True');
    }, 90_000);

    test('a release that never served is Failed, one that is turned off Suspended, one that goes Deleting', async () => {
      const off = { ...manifest('off'), metadata: { name: 'off', finalizers: ['test.dev/hold'] } };
      expect(said(await api.post(models, off))).toBe('201');
      await ground.untilPhase('off', 'Ready');
      await api.mergePatch(`${models}/off`, { spec: { suspend: true } });
      await api.eventually(
        () => api.get(`${models}/off`),
        ({ body }) => {
          const settled = condition(body, 'Reconciling');
          return settled?.status === 'False' && settled.reason === 'Suspended';
        },
      );
      judge('Suspended', await ground.untilPhase('off', 'Suspended'));
      await api.delete(`${models}/off`);
      judge('Deleting', await ground.untilPhase('off', 'Deleting'));
      await api.mergePatch(`${models}/off`, { metadata: { finalizers: null } });
      judge('Failed', await ground.untilPhase('bad', 'Failed'));
    }, 90_000);
  });

  describe(`helm ${helmMajor} install --wait`, () => {
    // Helm 4 judges custom resources by kstatus. Helm 3 waits for the kinds that it knows and for no other.
    const waitsForCustom = helmMajor >= 4;

    test('of a good release', async () => {
      await ground.hold(true);
      chart('fine', {});
      let done = false;
      const installs = ground.helm('install fine fine --wait --timeout 60s').then((text) => {
        done = true;
        return text;
      });
      await ground.untilPhase('fine', 'Pending');
      if (waitsForCustom) expect(done).toBe(false);
      else await installs;
      await ground.hold(false);
      expect(await installs).toContain('STATUS: deployed');
      if (waitsForCustom) expect(condition(await ground.model('fine'), 'Ready')?.status).toBe('True');
      await ground.helm('uninstall fine');
    }, 90_000);

    test('of a failed release', async () => {
      const ended = await broken;
      if (waitsForCustom) {
        expect(ended).toMatch(/ended with 1: .*ModelDeployment/s);
        expect(condition(await ground.model('broken'), 'Stalled')?.status).toBe('True');
      } else expect(ended).toContain('STATUS: deployed');
      await ground.helm('uninstall broken');
    }, 90_000);
  });

  describe('the same manifest once more undoes nothing of ours', () => {
    const spec = { scaling: { mode: 'Fixed' } };
    /** What people and tools wrote beside the manifest, by their own ways. */
    const writeBeside = async (name: string) => {
      expect(said(await api.mergePatch(`${models}/${name}/scale`, { spec: { replicas: 3 } }))).toBe('200');
      const restart = { ...manifest(name), spec: { rollout: { restartedAt: '2026-11-24T10:00:00Z' } } };
      expect(said(await api.apply(`${models}/${name}`, 'ballast-cli', restart))).toBe('200');
      await api.mergePatch(`${models}/${name}`, { metadata: { annotations: { 'test.dev/note': 'mine' } } });
      await ground.untilPhase(name, 'Ready');
      await api.eventually(
        () => ground.model(name).then((body) => ({ status: 200, headers: {}, text: '', body })),
        ({ body }) => at(body, 'status.readyReplicas') === 3,
      );
    };
    const untouched = async (name: string, before: Body, children: Record<string, string>) => {
      const after = await ground.model(name);
      expect(after.spec).toEqual(before.spec);
      expect(after.metadata.generation).toBe(before.metadata.generation);
      expect(after.metadata.labels).toEqual(before.metadata.labels);
      expect(after.metadata.annotations).toMatchObject({ 'test.dev/note': 'mine' });
      expect(at(after, 'spec.scaling.replicas')).toBe(3);
      expect(at(after, 'spec.rollout.restartedAt')).toBe('2026-11-24T10:00:00Z');
      expect(at(after, 'status.stable')).toEqual(at(before, 'status.stable'));
      expect(condition(after, 'Ready')?.status).toBe('True');
      expect(await writtenChildren(name)).toEqual(children);
    };

    // Side by side: each waits for its pods.
    const sideBySide = async (managers: readonly string[]) => {
      for (const manager of managers) {
        const ours = manifest(`again-${manager}`, spec, { 'app.kubernetes.io/managed-by': manager });
        expect(said(await apply(manager, ours))).toBe('201');
      }
      await Promise.all(managers.map((manager) => ground.untilPhase(`again-${manager}`, 'Ready')));
      await Promise.all(managers.map((manager) => writeBeside(`again-${manager}`)));
    };

    test('by server-side apply with force, as Flux, Argo CD and helm 4', async () => {
      const managers = ['kustomize-controller', 'argocd-controller', 'helm'];
      await sideBySide(managers);
      for (const manager of managers) {
        const name = `again-${manager}`;
        const ours = manifest(name, spec, { 'app.kubernetes.io/managed-by': manager });
        const [before, children] = [await ground.model(name), await writtenChildren(name)];
        // Drift is looked for by a dry run first: it must find none.
        const dry = await apply(manager, ours, { dryRun: 'All' });
        expect([dry.body.spec, dry.body.metadata.labels]).toEqual([before.spec, before.metadata.labels]);
        expect(said(await apply(manager, ours))).toBe('200');
        await untouched(name, before, children);
        await api.delete(`${models}/${name}`);
      }
    }, 90_000);

    test('by client-side apply, as Argo CD without ServerSideApply and as people do', async () => {
      const name = 'again-client';
      const path = file('again.json', JSON.stringify(manifest(name, spec)));
      await kubectl(`apply -f ${path}`);
      await ground.untilPhase(name, 'Ready');
      await writeBeside(name);
      const [before, children] = [await ground.model(name), await writtenChildren(name)];
      expect(await kubectl(`apply -f ${path}`)).toContain('unchanged');
      expect(await kubectl(`apply --server-side --force-conflicts -f ${path}`)).toContain(
        'serverside-applied',
      );
      await untouched(name, before, children);
      await api.delete(`${models}/${name}`);
    });

    test('replicas in the manifest win over kubectl scale: leave them out, or let the tool ignore them', async () => {
      const name = 'again-replicas';
      const ours = manifest(name, { scaling: { mode: 'Fixed', replicas: 1 } });
      await apply('kustomize-controller', ours);
      await api.mergePatch(`${models}/${name}/scale`, { spec: { replicas: 2 } });
      await apply('kustomize-controller', ours);
      expect(at(await ground.model(name), 'spec.scaling.replicas')).toBe(1);
      await api.delete(`${models}/${name}`);
    });
  });
}
