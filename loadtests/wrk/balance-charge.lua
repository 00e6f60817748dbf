-- Charges on WALLETS wallets: 10 is hot, 10000 is spread.
-- BASE_URL=http://127.0.0.1:8081 SUMMARY=/dev/stdout wrk -t1 -c100 -d20s -s loadtests/wrk/balance-charge.lua http://127.0.0.1:8081
local writes = dofile('loadtests/wrk/writes.lua')
local wallets = writes.whole('WALLETS', 10)

writes.run('charge', function()
  -- 1,000 to 10,000 won, so that a count alone does not give the sum.
  local amount = 1000 * math.random(1, 10)
  return '/api/users/' .. writes.random_user(wallets) .. '/balance/charge', '{"amount":' .. amount .. '}', amount
end, 'U002', 'chargedAmount')
