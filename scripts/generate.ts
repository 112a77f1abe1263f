/** `npm run generate`: writes every generated file; with `--check` it writes nothing and fails where one is stale. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { chartFiles } from './chart.ts';
import { renderInstall } from './chart-install.ts';
import { permissionsPage } from './chart-permissions.ts';
import { gatewayMetricsPage } from './gateway-metrics-page.ts';
import { grpcDescriptorFiles } from './grpc-descriptors.ts';
import { metricsPage } from './metrics-page.ts';
import { operatorMetricsPage } from './operator-metrics-page.ts';
import { scalingMetricsPage } from './scaling-metrics-page.ts';

const root = join(import.meta.dirname, '..');
const { generatedFiles } = (await import('../crds/generate.ts')) as {
  generatedFiles: () => Record<string, string>;
};
const check = process.argv.includes('--check');
const stale: string[] = [];

function write(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, path);
    let old: string | undefined;
    try {
      old = readFileSync(file, 'utf8');
    } catch {
      old = undefined;
    }
    if (old === text) continue;
    stale.push(relative(root, file));
    if (!check) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }
}

const files = generatedFiles();
write(files);
write(grpcDescriptorFiles());
write(
  chartFiles(
    files['crds/generated/modeldeployment.crd.yaml'] ?? '',
    files['crds/generated/modeldeployment.schema.json'] ?? '',
  ),
);
write({ 'docs/reference/metrics-pod.md': metricsPage() });
write({ 'docs/reference/metrics-scaling.md': scalingMetricsPage() });
write({ 'docs/reference/metrics-gateway.md': gatewayMetricsPage() });
write({ 'docs/reference/metrics-operator.md': operatorMetricsPage() });
// What helm makes of the chart as it lies there now.
const install = await renderInstall();
if (install === undefined) console.log('dist/install.yaml: no helm here, left as it is');
else write({ 'dist/install.yaml': install });
const permissions = await permissionsPage();
if (permissions !== undefined) write({ 'docs/reference/permissions.md': permissions });

for (const file of stale) console.log(check ? `${file} is stale: run "npm run generate"` : `wrote ${file}`);
process.exitCode = check && stale.length > 0 ? 1 : 0;
