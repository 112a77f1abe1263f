/** kubectl 1.32 against the server under test. */
import { kubectlCases } from './support/kubectl-cases.ts';

await kubectlCases('32');
