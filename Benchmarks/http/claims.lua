-- Claims for wrk: METHOD CAMPAIGN USERS. Each thread has users of its own, taken in turn; 0 is never the same one twice.
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  method, path, users = arguments[1], "/v1/campaigns/" .. arguments[2] .. "/claims", tonumber(arguments[3])
  run = arguments[4] or ""
  claims = 0
end

function request()
  claims = claims + 1
  local user = users > 0 and claims % users or claims
  return wrk.format(method, path, { ["X-User-Id"] = "user-" .. run .. number .. "-" .. user })
end

function done(summary, latency)
  io.write(string.format(
    "FIGURES %.0f %.0f %.0f %d %d\n", summary.requests / summary.duration * 1e6, latency:percentile(50),
    latency:percentile(99), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
