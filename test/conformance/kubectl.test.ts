/** kubectl 1.35 against the server under test. */
import { kubectlCases } from './support/kubectl-cases.ts';

await kubectlCases('35');
