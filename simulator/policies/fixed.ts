/** A count that never changes: the static peak. */
import type { Policy } from './policy.ts';

/** Asks for the same number always. */
export const fixed = (replicas: number, name = 'static'): Policy => ({ name, tick: () => replicas });
