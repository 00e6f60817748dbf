const { globalSetup, globalTeardown, ...common } = require('./jest.config.json');

/** The suite of a cluster, which starts nothing on this machine; it runs some files of the other one on what it installed. */
module.exports = {
  ...common,
  testMatch: ['<rootDir>/loadtests/cluster/*.cluster.test.ts', '<rootDir>/services/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
