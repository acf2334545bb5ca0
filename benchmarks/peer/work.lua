-- Sends the requests of a plan, a Lua table in the file that is its one argument. A plan has `requests`, sent in turn;
-- with `follow`, each answer gives the request that comes next.

local complain = require("outcome")

local plan, turn, waiting = nil, 0, {}
local number = 0

local function formatted(request)
  number = number + 1
  local unique = plan.unique .. "-" .. number
  local headers = {}
  for name, value in pairs(request.headers) do headers[name] = value:gsub("{n}", unique) end
  return wrk.format(request.method, request.path, headers, request.body and request.body:gsub("{n}", unique))
end

local function follow_up(found)
  local request = plan.follow
  local headers = {}
  for name, value in pairs(request.headers) do headers[name] = value end
  return wrk.format(request.method, request.path, headers, request.before .. found .. request.after)
end

function init(arguments)
  plan = dofile(arguments[1])
  for _, first in ipairs(plan.waiting or {}) do waiting[#waiting + 1] = first end
  local steady = {}
  for _, request in ipairs(plan.requests) do steady[#steady + 1] = not plan.counted and formatted(request) end
  plan.steady = steady
  if not plan.follow and not plan.counted then response = nil end
end

function request()
  if plan.follow and (#waiting > 0 or #plan.requests == 0) then
    return follow_up(table.remove(waiting, 1) or "none-left") -- is refused, and counted as that
  end
  turn = turn % #plan.requests + 1
  return plan.steady[turn] or formatted(plan.requests[turn])
end

function response(status, headers, body)
  if status >= 400 then return complain(status, body) end
  if not plan.follow then return end
  local found
  if plan.follow.from == "location" then
    local location = headers["location"] or headers["Location"]
    found = location and location:match("[?&]code=([^&]+)")
    if not found and status ~= 200 then complain(status, location or body) end
  else
    found = body:match('"refresh_token":"([^"]+)"')
    if not found then complain(status, body) end
  end
  if found then waiting[#waiting + 1] = found end
end
