-- One order of a cart with three products a transaction, with the statements of services/order/checkout.ts.
sysbench.cmdline.options = {
  wallets = { 'number of users to order for', 10000 },
  run_id = { 'makes the ids and keys of this run its own', 'run' },
}

function thread_init()
  connection = sysbench.sql.driver():connect()
  connection:query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED')
  written = 0
end

function event()
  -- Every thread has users of its own, as the checkouts of the API's run have.
  local user = string.format('test-user-%d', 1 + (written * sysbench.opt.threads + sysbench.tid) % sysbench.opt.wallets)
  written = written + 1
  local order = string.format('%s-%d-%d', sysbench.opt.run_id, sysbench.tid, written)
  local now = os.date('!%Y-%m-%d %H:%M:%S')

  connection:query('START TRANSACTION')
  local _, balance, version = connection:query_row(
    "SELECT id, balance, balance_version FROM users WHERE id IN ('" .. user .. "') ORDER BY id FOR UPDATE")
  connection:query([[SELECT id, user_id, coupon_id, total_amount, discount_amount, final_amount, idempotency_key, created_at
    FROM orders WHERE (user_id, idempotency_key) IN ((']] .. user .. "', '" .. order .. "'))")

  local lines = connection:query([[SELECT c.user_id, i.id, i.product_id, i.quantity
    FROM carts c JOIN cart_items i ON i.cart_id = c.id
    WHERE c.user_id IN (']] .. user .. "') ORDER BY c.user_id, i.product_id FOR UPDATE")
  local products, quantities, taken, items = {}, {}, {}, {}
  for i = 1, lines.nrows do
    local line = lines:fetch_row()
    products[i] = "'" .. line[3] .. "'"
    quantities[line[3]] = tonumber(line[4])
    taken[i] = "WHEN '" .. line[3] .. "' THEN " .. line[4]
  end

  local list = table.concat(products, ', ')
  local shelf = connection:query([[SELECT p.id, p.name, p.price, s.quantity
    FROM products p LEFT JOIN stocks s ON s.product_id = p.id WHERE p.id IN (]] .. list .. ')')
  local total, event_items = 0, {}
  for i = 1, shelf.nrows do
    local product = shelf:fetch_row()
    local quantity, price = quantities[product[1]], tonumber(product[3])
    items[i] = string.format("('%s', '%s', '%s', %d, %d, %d)", order, product[1], product[2], price, quantity, price * quantity)
    event_items[i] = string.format('{"productId":"%s","quantity":%d}', product[1], quantity)
    total = total + price * quantity
  end

  connection:query(string.format([[INSERT INTO orders
    (id, user_id, coupon_id, total_amount, discount_amount, final_amount, status, idempotency_key, created_at)
    VALUES ('%s', '%s', NULL, %d, 0, %d, 'PAID', '%s', '%s')]], order, user, total, total, order, now))
  connection:query('INSERT INTO order_items (order_id, product_id, product_name, price, quantity, subtotal) VALUES '
    .. table.concat(items, ', '))
  connection:query(string.format([[INSERT INTO payments
    (order_id, user_id, amount, previous_balance, current_balance, balance_version, paid_at)
    VALUES ('%s', '%s', %d, %d, %d, %d, '%s')]], order, user, total, balance, balance - total, version + 1, now))
  connection:query(string.format([[INSERT INTO outbox_events (aggregate_id, event_type, payload, next_attempt_at, created_at)
    VALUES ('%s', 'ORDER_PLACED',
      '{"orderId":"%s","userId":"%s","couponId":null,"finalAmount":%d,"createdAt":"%s","items":[%s]}', '%s', '%s')]],
    order, order, user, total, now, table.concat(event_items, ','), now, now))
  connection:query(string.format(
    "UPDATE users SET balance = CASE id WHEN '%s' THEN %d END, balance_version = CASE id WHEN '%s' THEN %d END WHERE id IN ('%s')",
    user, balance - total, user, version + 1, user))
  local cases = 'CASE product_id ' .. table.concat(taken, ' ') .. ' END'
  connection:query('UPDATE stocks SET quantity = quantity - ' .. cases .. ' WHERE product_id IN (' .. list
    .. ') AND quantity >= ' .. cases .. ' ORDER BY product_id')
  connection:query('COMMIT')
end
