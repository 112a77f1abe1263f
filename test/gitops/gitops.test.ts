/** GitOps tools and the embedded cluster, with kubectl 1.35 and helm 4. */
import { gitopsCases } from './cases.ts';

await gitopsCases({ version: '35', helmMajor: 4 });
