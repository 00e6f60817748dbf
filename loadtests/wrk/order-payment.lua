-- Checkouts of what is in the carts, which are kept (ONRUSH_CART_AFTER_ORDER=keep); each user in turn.
-- BASE_URL=http://127.0.0.1:8081 SUMMARY=/dev/stdout wrk -t1 -c100 -d20s -s loadtests/wrk/order-payment.lua http://127.0.0.1:8081
local writes = dofile('loadtests/wrk/writes.lua')

writes.run('order', function(nth)
  return '/api/orders', '{"userId":"' .. writes.next_user(nth) .. '"}', 0
end, 'O409 PAY001 P002 C003 COMMON001', 'finalAmount')
