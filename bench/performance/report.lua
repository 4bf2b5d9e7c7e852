-- wrk's side. Two numbers after "--": so many browsers ask, no two of which send the same headers, if it is not 0; and so many
-- milliseconds each connection waits before it asks.

function init(args)
   local browsers, pause, asked = tonumber(args[1]), tonumber(args[2]), 0
   if pause > 0 then
      delay = function() return pause end
   end
   if browsers == 0 then return end
   local heads, agent = {}, wrk.headers["User-Agent"]
   for number = 1, browsers do
      wrk.headers["User-Agent"] = agent .. " Reader/" .. number
      heads[number] = wrk.format()
   end
   request = function()
      asked = asked % browsers + 1
      return heads[asked]
   end
end

-- What wrk knows at the end, as one line of JSON. Times are in microseconds.
function done(summary, latency, requests)
   local failed = summary.errors
   io.write(string.format(
      '{"answered": %d, "microseconds": %d, "p50": %d, "p99": %d, "failed": %d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
      failed.connect + failed.read + failed.write + failed.status + failed.timeout))
end
