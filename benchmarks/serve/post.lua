-- SPDX-License-Identifier: Apache-2.0
-- wrk -s post.lua URL -- BODY_FILE [HEADER VALUE]...: posts one body again and again; the last line of the output is JSON.
function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  wrk.headers["Content-Type"] = "application/json"
  for i = 2, #arguments, 2 do wrk.headers[arguments[i]] = arguments[i + 1] end
  local whole = wrk.format()
  request = function() return whole end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50_ms": %.4f, "p99_ms": %.4f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
