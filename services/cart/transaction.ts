import { type Sequelize, Transaction } from 'sequelize';
import { Unavailable } from '../core/unavailable.ts';
import { engineErrno, isEngineAway } from '../database/sequelize.ts';

const DEADLOCK = 1213;
const LOCK_WAIT_TIMEOUT = 1205;
const ATTEMPTS = 5;

/**
 * Runs `work` in a transaction and commits; the whole of it again after a deadlock or a lock wait timeout, up to five
 * times before `deadline`. READ COMMITTED, although setting it costs a round trip: a cart that another request has just
 * created is seen at once, and no gaps are locked between the items of different carts.
 * @throws Unavailable COMMON503: nothing was done. COMMON504: the connection broke during the commit.
 */
export async function cartTransaction<T>(
  sequelize: Sequelize,
  deadline: number,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    let committing = false;
    try {
      return await sequelize.transaction(
        { isolationLevel: Transaction.ISOLATION_LEVELS.READ_COMMITTED },
        async (transaction) => {
          const result = await work(transaction);
          committing = true;
          return result;
        },
      );
    } catch (error) {
      if (isEngineAway(error))
        throw committing
          ? new Unavailable('COMMON504', '', { cause: error })
          : new Unavailable('COMMON503', 'the database is out of reach', { cause: error });
      const errno = engineErrno(error);
      if (errno !== DEADLOCK && errno !== LOCK_WAIT_TIMEOUT) throw error;
      if (attempt === ATTEMPTS || Date.now() >= deadline)
        throw new Unavailable('COMMON503', 'the rows stayed locked', { cause: error });
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * attempt));
    }
  }
}
