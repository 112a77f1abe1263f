/** The chart with helm 3 on a real API server. */
import { chartCases } from './cases.ts';

await chartCases('32', 3);
