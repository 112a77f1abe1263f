// Sources are ESM TypeScript: swc strips the types (scripts/jest-transform.ts), node runs jest with --experimental-vm-modules.
const transform = {
  '^.+\\.ts$': [
    '<rootDir>/scripts/jest-transform.ts',
    { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
  ],
};

export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform,
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: [
    '/node_modules/',
    '/.ballast/',
    '/test/browser/',
    '/test/fault/',
    '/test/images/built/',
    '/test/kube/',
    '/bench/',
  ],
  modulePathIgnorePatterns: ['/.ballast/'],
  // One waits for processes and deadlines while two compute: 306 s with two became 256 s on 2 cores.
  maxWorkers: 3,
  // Node keeps every ES module of every file that a worker ran: 0.8 GB of heap at the end, none of it a test's.
  workerIdleMemoryLimit: '450MB',
  // Nothing is open when a worker ends (process.getActiveResourcesInfo()), but to give such a heap back takes 0.7 s on full cores.
  workerGracefulExitTimeout: 10_000,
  testTimeout: 30_000,
};
