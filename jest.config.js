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
  maxWorkers: 2,
  testTimeout: 30_000,
};
