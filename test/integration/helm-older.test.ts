/** helm 3 against the embedded API server. */
import { helmCases } from './helm-cases.ts';

await helmCases('32', 3);
