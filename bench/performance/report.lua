-- What wrk knows at the end, as one line of JSON. Times are in microseconds.
function done(summary, latency, requests)
   local failed = summary.errors
   io.write(string.format(
      '{"answered": %d, "microseconds": %d, "p50": %d, "p99": %d, "failed": %d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
      failed.connect + failed.read + failed.write + failed.status + failed.timeout))
end
