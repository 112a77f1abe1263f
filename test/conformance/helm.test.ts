/** helm 4 against the server under test. */
import { helmCases } from './support/helm-cases.ts';

await helmCases('35', 4);
