-- Each user in turn asks for the coupon that COUPON names.
-- BASE_URL=http://127.0.0.1:8081 SUMMARY=/dev/stdout wrk -t1 -c200 -d20s -s loadtests/wrk/coupon-issue.lua http://127.0.0.1:8081
local writes = dofile('loadtests/wrk/writes.lua')
local path = '/api/coupons/' .. (os.getenv('COUPON') or 'test-coupon-1') .. '/issue'

writes.run('coupon', function(nth)
  return path, '{"userId":"' .. writes.next_user(nth) .. '"}', 0
end, 'C001 C002 C006')
