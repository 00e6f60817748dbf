const { globalSetup, globalTeardown, ...common } = require('./jest.config.json');

/**
 * The suite of a cluster, which starts nothing on this machine: the charts' tests, which need helm, and those of the cluster,
 * which run some files of the services on what they installed.
 */
module.exports = {
  ...common,
  testMatch: ['<rootDir>/(charts|services)/**/*.test.ts', '<rootDir>/loadtests/cluster/*.cluster.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
