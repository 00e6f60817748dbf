import type { Migration } from '../migration.ts';

/** The W3C trace context of the request that made an event, where it is recorded; programs before this one leave it empty. */
export const outboxTrace: Migration = {
  name: '0002-outbox-trace',
  async up(sequelize) {
    await sequelize.query(
      'ALTER TABLE outbox_events ADD COLUMN trace_parent VARCHAR(55) CHARACTER SET ascii COLLATE ascii_bin NULL',
    );
  },
};
