const common = require('./jest.config.json');

/** Dashboards and alerts against a real Prometheus and real load, and alerts in a provoked run: npm run test:observability. */
module.exports = {
  ...common,
  testMatch: ['<rootDir>/dashboards/**/*.observability.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 120_000,
};
