// Sources are ESM TypeScript: @swc/jest strips the types, node runs jest with --experimental-vm-modules.
const transform = {
  '^.+\\.ts$': [
    '@swc/jest',
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
