-- wrk's side. With a number after "--": so many browsers ask, no two of which send the same headers.

function init(args)
   local browsers, asked = tonumber(args[1]), 0
   if not browsers then return end
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
