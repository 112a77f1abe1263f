// `npm run test:images`: images, workflows and bills of materials; it builds the images first, as root.
import base from './jest.config.js';

export default {
  ...base,
  testMatch: ['<rootDir>/test/images/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/.ballast/'],
  // The containers share ports' numbers and two cores with nothing else.
  maxWorkers: 1,
  testTimeout: 60_000,
};
