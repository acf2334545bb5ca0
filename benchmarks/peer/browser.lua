-- Signs people in with their passwords, each from the authorization request over the page to the code. Each thread is one
-- browser after another, and has one connection, so that an answer belongs to what it asked last. The one argument is
-- a file with a Lua table: the path to `start` at, the `origin`, the names of `people`, and their `password`.

local complain = require("outcome")

local plan, person, cookies, next_request = nil, 0, {}, nil

local function encoded(text)
  return (text:gsub("[^%w]", function(char) return string.format("%%%02X", char:byte()) end))
end

local function send(method, path, headers, body)
  local pairs_of = {}
  for name, value in pairs(cookies) do pairs_of[#pairs_of + 1] = name .. "=" .. value end
  if #pairs_of > 0 then headers["cookie"] = table.concat(pairs_of, "; ") end
  next_request = wrk.format(method, path, headers, body)
end

local function begin()
  person, cookies = person % #plan.people + 1, {}
  send("GET", plan.start, {})
end

local function send_form(page)
  local form = page:match("<form.-</form>")
  local fields = { "username=" .. encoded(plan.people[person]), "password=" .. encoded(plan.password) }
  for name, value in form:gmatch('type="hidden" name="([^"]+)" value="([^"]*)"') do
    fields[#fields + 1] = name .. "=" .. encoded(value)
  end
  local headers = { ["content-type"] = "application/x-www-form-urlencoded", ["origin"] = plan.origin }
  send("POST", form:match('action="([^"]+)"'), headers, table.concat(fields, "&"))
end

function init(arguments)
  plan = dofile(arguments[1])
  person = place -- each begins with another
  begin()
end

function request() return next_request end

function response(status, headers, body)
  local cookie, value = (headers["set-cookie"] or ""):match("^([^=]+)=([^;]*)")
  if cookie then cookies[cookie] = value end
  local location = headers["location"]
  if location and location:sub(1, 1) == "/" then return send("GET", location, {}) end
  if status == 200 and body:find('id="sign-in"', 1, true) then return send_form(body) end
  if not (location and location:find("[?&]code=")) then complain(status, location or body) end
  begin()
end
