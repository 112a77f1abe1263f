/** The chart with helm 4 on a real API server. */
import { chartCases } from './cases.ts';

await chartCases('35', 4);
