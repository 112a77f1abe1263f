/** helm 4 against the embedded API server. */
import { helmCases } from './helm-cases.ts';

await helmCases('35', 4);
