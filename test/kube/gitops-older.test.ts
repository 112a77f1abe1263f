/** GitOps tools and a real control plane, with kubectl 1.32 and helm 3. */
import { gitopsCases } from '../gitops/cases.ts';

await gitopsCases({ version: '32', helmMajor: 3 });
