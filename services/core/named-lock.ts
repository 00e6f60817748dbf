import type { Sequelize } from 'sequelize';

/** Who the engine has not heard of for so long has the lock no longer. Seconds. */
const LIFE = 30;

/**
 * Runs `work` while this database holds the named lock (GET_LOCK) for us. The lock belongs to one connection, kept by a
 * transaction until `work` ends; it goes away with the connection, so a killed process leaves nothing locked.
 * @throws if the lock is not to be had within `seconds`, or was lost before `work` ended.
 */
export async function withNamedLock<T>(
  sequelize: Sequelize,
  name: string,
  seconds: number,
  work: () => Promise<T>,
): Promise<T> {
  return sequelize.transaction(async (transaction) => {
    const [rows] = (await sequelize.query('SELECT GET_LOCK(?, ?) AS locked, @@SESSION.wait_timeout AS life', {
      replacements: [name, seconds],
      transaction,
    })) as unknown as [{ locked: number | null; life: number }[], unknown];
    const { locked, life } = rows[0] ?? { locked: null, life: LIFE };
    if (Number(locked) !== 1) throw new Error(`the lock ${name} was not to be had within ${seconds} s`);
    // A process that vanished without closing its connection would keep the lock for the engine's eight hours.
    const live = (seconds: number) => sequelize.query(`SET SESSION wait_timeout = ${seconds}`, { transaction });
    await live(Math.min(Number(life), LIFE));
    const release = async () => {
      await sequelize.query('SELECT RELEASE_LOCK(?)', { replacements: [name], transaction });
      await live(Number(life));
    };
    // The connection says nothing while `work` runs; it is kept from being taken for a dead one.
    const alive = setInterval(() => void sequelize.query('DO 0', { transaction }).catch(() => {}), 2_000);
    const result = await work()
      .finally(() => clearInterval(alive))
      .catch(async (error) => {
        await release().catch(() => {});
        throw error;
      });
    await release();
    return result;
  });
}
