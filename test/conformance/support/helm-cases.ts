/** What real helm does against the server under test, the same for versions 3 and 4. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openBed } from './kubectl-bed.ts';

const templates = `
apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }} }
data: { greeting: {{ .Values.greeting | quote }} }
---
apiVersion: v1
kind: Service
metadata: { name: {{ .Release.Name }} }
spec: { selector: { app: {{ .Release.Name }} }, ports: [{ port: 80, name: http }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }} }
spec:
  replicas: {{ .Values.replicas }}
  selector: { matchLabels: { app: {{ .Release.Name }} } }
  template:
    metadata: { labels: { app: {{ .Release.Name }} } }
    spec: { containers: [{ name: main, image: nginx }] }
`;

/** Registers the cases for the helm that comes with one kubectl. */
export async function helmCases(version: '35' | '32', major: number): Promise<void> {
  const { dir, file, api, helm, kubectl } = await openBed(version);
  mkdirSync(join(dir, 'tiny', 'templates'), { recursive: true });
  file('tiny/Chart.yaml', 'apiVersion: v2\nname: tiny\nversion: 0.1.0\n');
  file('tiny/values.yaml', 'greeting: hello\nreplicas: 1\n');
  file('tiny/templates/all.yaml', templates);
  const greeting = () => kubectl('get configmap rel -o jsonpath={.data.greeting}');

  test(`helm ${major} installs, upgrades, rolls back and uninstalls`, async () => {
    expect(await helm('version --short')).toMatch(new RegExp(`^v${major}\\.`));
    expect(await helm('install rel tiny')).toContain('STATUS: deployed');
    expect(await greeting()).toBe('hello');
    expect(await helm('list')).toMatch(/rel\s+\S+\s+1\s+.*deployed\s+tiny-0\.1\.0/);
    await helm('upgrade rel tiny --set greeting=bye --set replicas=2');
    expect(await greeting()).toBe('bye');
    expect(await kubectl('get deploy rel -o jsonpath={.spec.replicas}')).toBe('2');
    expect(await helm('history rel')).toMatch(/1\s+.*superseded[\s\S]*2\s+.*deployed/);
    expect(await helm('rollback rel 1')).toContain('Rollback was a success');
    expect(await greeting()).toBe('hello');
    expect(await helm('get manifest rel')).toContain('kind: ConfigMap');
    expect(await helm('uninstall rel')).toContain('uninstalled');
    await api.eventually(
      () => api.get(api.path('deployments')),
      ({ body }) => body.items.length === 0,
    );
    expect(await kubectl('get deploy,svc,secret -o name')).toBe('');
  });

  test(`helm ${major} says what a chart would do`, async () => {
    expect(await helm('install dry tiny --dry-run=server')).toContain('kind: Deployment');
    expect(await kubectl('get deploy -o name')).toBe('');
  });
}
