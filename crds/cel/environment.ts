/** The CEL environment of Kubernetes: the language's own functions and the libraries that an API server adds. */
import { Environment } from '@marcbachmann/cel-js';
import { registerFormats } from './library-format.ts';
import { registerLists } from './library-lists.ts';
import { registerNetwork } from './library-network.ts';
import { registerQuantity } from './library-quantity.ts';
import { registerSemver } from './library-semver.ts';
import { registerStrings } from './library-strings.ts';
import { registerMacros } from './macros.ts';

const base = new Environment({
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: true,
  limits: {
    maxAstNodes: 100_000,
    maxDepth: 250,
    maxListElements: 10_000,
    maxMapEntries: 10_000,
    maxCallArguments: 32,
  },
});
for (const register of [
  registerStrings,
  registerLists,
  registerQuantity,
  registerNetwork,
  registerSemver,
  registerFormats,
  registerMacros,
])
  register(base);

const plain = base.clone();

/** A fresh environment with the libraries, in which types and variables can be registered. */
export function createEnvironment(): Environment {
  return base.clone();
}

/** A text such as `1h30m` as a CEL duration; null when it is none. */
export function durationValue(text: string): unknown {
  try {
    return plain.evaluate(`duration(${JSON.stringify(text)})`);
  } catch {
    return null;
  }
}
