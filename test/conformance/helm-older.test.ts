/** helm 3 against the server under test. */
import { helmCases } from './support/helm-cases.ts';

await helmCases('32', 3);
