/** kubectl 1.32 against the embedded API server. */
import { kubectlCases } from './kubectl-cases.ts';

await kubectlCases('32');
