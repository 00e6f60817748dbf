const common = require('./jest.config.json');

/** Tests that break engines or processes, or take their time: npm run test:faults. */
module.exports = {
  ...common,
  testMatch: ['<rootDir>/(services|loadtests)/**/*.faults.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 120_000,
};
