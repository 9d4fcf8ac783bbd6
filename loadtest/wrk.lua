-- Withdrawals for wrk, each with a key of its own. After `--`: how many users, the id of the first, the amount.
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  math.randomseed(os.time() + number * 7919)
  users = tonumber(args[1] or "1")
  first = tonumber(args[2] or "1")
  body = '{"amount":' .. (args[3] or "-0.01") .. '}'
  run = math.random(1, 1e9)
  sent = 0
end

function request()
  sent = sent + 1
  local headers = {
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = run .. "-" .. number .. "-" .. sent,
  }
  local user = first + math.random(0, users - 1)
  return wrk.format("PUT", "/api/users/" .. user .. "/balance", headers, body)
end
