const { default: Sequencer } = require('@jest/test-sequencer');

/** Files in order of their paths, the whole bench at the end. */
module.exports = class extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => (path.endsWith('bench.test.ts') ? 1 : 0);
    return [...tests].sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1));
  }
};
