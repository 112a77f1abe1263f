/** kubectl 1.35 against the embedded API server. */
import { kubectlCases } from './kubectl-cases.ts';

await kubectlCases('35');
