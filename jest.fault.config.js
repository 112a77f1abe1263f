// `npm run test:fault`: the fault tests alone, with a table of figures at the end.
import base from './jest.config.js';

export default {
  ...base,
  testMatch: ['<rootDir>/test/fault/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/.ballast/'],
  reporters: ['default', '<rootDir>/test/fault/table.ts'],
  // Its table has figures.
  maxWorkers: 2,
  testTimeout: 120_000,
};
