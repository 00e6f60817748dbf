-- One charge a transaction, with the statements of services/balance/charge.ts.
sysbench.cmdline.options = {
  wallets = { 'number of wallets to charge', 10 },
  run_id = { 'makes the keys of this run its own', 'run' },
}

function thread_init()
  connection = sysbench.sql.driver():connect()
  connection:query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED')
  written = 0
end

function event()
  local user = string.format('test-user-%d', sysbench.rand.uniform(1, sysbench.opt.wallets))
  written = written + 1
  local key = string.format('%s-%d-%d', sysbench.opt.run_id, sysbench.tid, written)
  local amount = 1000 * sysbench.rand.uniform(1, 10)

  connection:query('START TRANSACTION')
  local _, balance, version = connection:query_row(
    "SELECT id, balance, balance_version FROM users WHERE id IN ('" .. user .. "') ORDER BY id FOR UPDATE")
  connection:query([[SELECT user_id, idempotency_key, amount, previous_balance, current_balance, charged_at
    FROM balance_charge_history WHERE (user_id, idempotency_key) IN ((']] .. user .. "', '" .. key .. "'))")
  connection:query(string.format([[INSERT INTO balance_charge_history
    (user_id, balance_version, amount, previous_balance, current_balance, idempotency_key, charged_at)
    VALUES ('%s', %d, %d, %d, %d, '%s', '%s')]],
    user, version + 1, amount, balance, balance + amount, key, os.date('!%Y-%m-%d %H:%M:%S')))
  connection:query(string.format(
    "UPDATE users SET balance = CASE id WHEN '%s' THEN %d END, balance_version = CASE id WHEN '%s' THEN %d END WHERE id IN ('%s')",
    user, balance + amount, user, version + 1, user))
  connection:query('COMMIT')
end
