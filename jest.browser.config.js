// `npm run test:browser`: the pod's page in Chromium, which is installed first where it is missing and this is root.
import base from './jest.config.js';

export default {
  ...base,
  testMatch: ['<rootDir>/test/browser/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/.ballast/'],
  globalSetup: '<rootDir>/test/browser/chromium.ts',
  testTimeout: 60_000,
};
