-- What the scripts of this directory share: they send one API's keyed writes as fast as the answers come, count what came of
-- each under the names of loadtests/k6/lib/results.ts, and leave a summary of the shape of loadtests/k6/lib/summary.ts in the
-- file that SUMMARY names. A write that got no definite answer is not sent again: it stays unresolved.
-- The environment is that of the k6 scripts: BASE_URL, USERS, FIRST_USER, SUMMARY. With RATE they send so many a second, whatever
-- the answers, as long as a connection is free. A write that is sent more than LATE after its time, be it for want of a connection
-- or because wrk was kept from it, is counted: latencies begin when a write is sent, so they tell of a rate only while few are late.

local function whole(name, fallback)
  local text = os.getenv(name)
  if not text or text == '' then return fallback end
  return assert(tonumber(text:match('^[1-9]%d*$')), name .. '=' .. text .. ': expected a whole number from 1')
end

local host = assert(os.getenv('BASE_URL'), 'BASE_URL is missing'):match('^http://([^/]+)/?$')
local head = 'POST %s HTTP/1.1\r\nHost: ' .. host .. '\r\nContent-Type: application/json\r\n'
local keyed = head .. 'Idempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s'

-- Milliseconds.
local LATE = 10

local rate = (os.getenv('RATE') or '') ~= '' and whole('RATE')
local clock
if rate then
  local ffi = require('ffi')
  ffi.cdef('typedef struct { long seconds, nanoseconds; } timespec; int clock_gettime(int, timespec *);')
  local now = ffi.new('timespec')
  clock = function()
    ffi.C.clock_gettime(1, now)
    return tonumber(now.seconds) * 1e3 + tonumber(now.nanoseconds) / 1e6
  end
end

local first, among = whole('FIRST_USER', 1), whole('USERS', 100000)

local writes = { whole = whole }

function writes.random_user(limit)
  return 'test-user-' .. (first + math.random(0, math.min(limit or among, among) - 1))
end

-- A user that no other write of this run has, until all had their turn. `nth` counts from 0.
function writes.next_user(nth)
  return 'test-user-' .. (first + nth % among)
end

-- `next(nth)` gives path, body and won (0 where only the answer tells) of the nth write. `refusals` are the codes that this load
-- can bring about, separated by spaces. `field` is the answer's field that holds the won.
function writes.run(api, next, refusals, field)
  -- One thread: users are taken in turn, and the machine is shared with what is measured.
  local thread, began
  local won = field and '"' .. field .. '":(%d+)'

  function setup(one)
    assert(not thread, 'run with -t1')
    thread = one
  end

  function init()
    local seed = io.open('/dev/urandom', 'rb')
    local bytes = seed:read(8)
    seed:close()
    local hex = bytes:gsub('.', function(byte) return string.format('%02x', byte:byte()) end)
    math.randomseed(tonumber(hex:sub(1, 8), 16))
    prefix = 'wrk-' .. hex .. '-'
    counters = { sent = 0, sent_won = 0, acknowledged = 0, acknowledged_won = 0, late = 0 }
  end

  function request()
    local nth = counters.sent
    -- wrk asks for one request before the load, which it does not send.
    if began and clock() > began + (nth - 1) * 1e3 / rate + LATE then counters.late = counters.late + 1 end
    counters.sent = nth + 1
    local path, body, amount = next(nth)
    counters.sent_won = counters.sent_won + amount
    return keyed:format(path, prefix .. nth, #body, body)
  end

  if rate then
    -- Each connection that is free takes the next place in time; wrk waits for whole milliseconds.
    local places = 0
    function delay()
      local now = clock()
      began = began or now
      local early = began + places * 1e3 / rate - now
      places = places + 1
      return math.max(0, early)
    end
  end

  local function count(name) counters[name] = (counters[name] or 0) + 1 end

  function response(status, _, body)
    if status < 300 then
      counters.acknowledged = counters.acknowledged + 1
      if won then counters.acknowledged_won = counters.acknowledged_won + tonumber(body:match(won)) end
    elseif status < 500 then
      local code = body:match('"code":"(%w+)"')
      count(code and (' ' .. refusals .. ' '):find(' ' .. code .. ' ', 1, true) and 'refused_' .. code or 'unexpected')
    else
      count(status == 503 and 'error_http_503' or 'error_http_5xx')
    end
  end

  function done(summary, latency)
    local counted, errors = thread:get('counters'), summary.errors
    local broken = errors.connect + errors.read + errors.write
    if broken > 0 then counted.error_connection = broken end
    if errors.timeout > 0 then counted.error_timeout = errors.timeout end
    local failed = broken + errors.timeout + (counted.error_http_503 or 0) + (counted.error_http_5xx or 0)
    local seconds = summary.duration / 1e6
    local ms = function(microseconds) return microseconds / 1e3 end
    local pairs_of = {}
    local late = counted.late
    counted.late = nil
    for name, value in pairs(counted) do
      -- A refusal says nothing of won; where the answers do not either, there is no sum.
      if won or not name:find('_won$') then
        pairs_of[#pairs_of + 1] = string.format('"%s_%s":%.0f', api, name, value)
      end
    end
    local out = assert(io.open(assert(os.getenv('SUMMARY'), 'SUMMARY is missing'), 'w'))
    out:write(string.format(
      '{"seconds":%.6f,"dropped":%d,"counters":{%s},"thresholds":[],"requests":{"%s":{"count":%d,"perSecond":%.3f,"failed":%d,'
        .. '"avg":%.3f,"p50":%.3f,"p90":%.3f,"p95":%.3f,"p99":%.3f,"max":%.3f}}}\n',
      seconds, late, table.concat(pairs_of, ','), api, summary.requests, summary.requests / seconds, failed,
      ms(latency.mean), ms(latency:percentile(50)), ms(latency:percentile(90)), ms(latency:percentile(95)),
      ms(latency:percentile(99)), ms(latency.max)))
    out:close()
  end
end

return writes
