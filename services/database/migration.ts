import type { Sequelize } from 'sequelize';

export interface Migration {
  /** Sorts after the names of all earlier ones. */
  name: string;
  up(sequelize: Sequelize): Promise<void>;
}
