-- Says at the end what became of all requests, in JSON. What it gives to those who require it is called for an answer that
-- is none, whatever its status.

local threads = {}
wrong = 0 -- seen from outside, so it is no local

function setup(thread)
  thread:set("place", #threads)
  threads[#threads + 1] = thread
end

function done(summary, latency, _)
  local errors, refused = summary.errors, 0
  for _, thread in ipairs(threads) do refused = refused + thread:get("wrong") end
  io.write(string.format(
    '{"requests":%d,"seconds":%f,"errors":%d,"p50":%f,"p99":%f}\n',
    summary.requests, summary.duration / 1e6,
    math.max(errors.status, refused) + errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000
  ))
end

return function(status, body)
  if wrong == 0 then io.stderr:write(status .. " " .. body:sub(1, 500) .. "\n") end
  wrong = wrong + 1
end
