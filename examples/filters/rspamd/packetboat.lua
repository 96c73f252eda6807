-- rspamd for Packetboat: copy to /etc/rspamd/rspamd.local.lua, or add it to yours (since 3.11: to /etc/rspamd/lua.local.d/).
-- Reads what Packetboat has found out of mail that came over XMPP, and makes symbols of it. Their scores are in
-- groups.conf, beside this file; rspamd itself must know whose mail this is, see settings.conf.
--
-- A field counts only where nobody else can have put it: in mail that came in by Postfix's service 2526, which rspamd
-- tells by its milter_macro_daemon_name, and from which Packetboat has removed what claims its name. And only as a
-- whole: it is read to its end, and one with a word twice, a second method, or a comment is not Packetboat's.

-- Change this: the `authserv-id` of packetboat.conf, or else its `hostname`.
local authserv_id = 'packetboat.example.org'
local daemon_name = 'packetboat'

local LANE, PKIX, UNVERIFIED = 'PACKETBOAT', 'PACKETBOAT_PKIX', 'PACKETBOAT_UNVERIFIED'
local ALIGNED, OTHER_AUTHOR = 'PACKETBOAT_ALIGNED', 'PACKETBOAT_OTHER_AUTHOR'
-- By the class that the domain has (packetboat-peers(8)); nothing for `new` and `known`.
local AGAINST = {
  poor = 'PACKETBOAT_CLASS_POOR', blocked = 'PACKETBOAT_CLASS_BLOCKED', limited = 'PACKETBOAT_CLASS_LIMITED',
}
local IN_FAVOUR = { good = 'PACKETBOAT_CLASS_GOOD', trusted = 'PACKETBOAT_CLASS_TRUSTED' }

-- ` key=value key="quoted value"`: all of it as a table, or nil.
local function properties(text)
  local found = {}
  local at = 1
  while at <= #text do
    local key, stop = text:match('^%s+([%l.-]+)=()', at)
    if not key or found[key] then return nil end
    local value, after = text:match('^([^%s"();\\]+)()', stop)
    if not value then value, after = text:match('^"([^"\\]*)"()', stop) end
    if not value then return nil end
    found[key] = value
    at = after
  end
  return found
end

-- What Packetboat's field says behind its method's name, of each field that begins as one.
local function claims(task)
  local found = {}
  if tostring(task:get_request_header('MTA-Name') or '') ~= daemon_name then return found end
  local start = authserv_id .. '; x-xmpp-s2s='
  for _, field in ipairs(task:get_header_full('Authentication-Results') or {}) do
    -- As it was written but for its folding; `decoded` would be what an encoded-word says.
    if field.value:sub(1, #start):lower() == start:lower() then
      found[#found + 1] = field.value:sub(#start + 1)
    end
  end
  return found
end

-- The class, in its place: in front of it there is nothing that a sender chooses but his domain.
local function class_in(claim)
  return (claim .. ' '):match('^%l+ policy%.assurance=%l+%s+policy%.domain=%S+%s+policy%.class=(%l+)%s')
end

-- The result and the properties of the one field that is Packetboat's, or nil.
local function finding(claim)
  local result, after = claim:match('^(%l+)()')
  if not result then return nil end
  local found = properties(claim:sub(after))
  if not found or not (found['policy.domain'] or ''):match('^[%w.-]+$') then return nil end
  return result, found
end

local id = rspamd_config:register_symbol({
  name = 'PACKETBOAT_FIELD',
  -- Before rules that want to know, as the one in multimap.conf.
  type = 'prefilter,callback',
  callback = function(task)
    local all = claims(task)
    -- What speaks against a mail needs no proof: its sender gains nothing by it, nor by what stands behind it.
    for word, symbol in pairs(AGAINST) do
      for _, claim in ipairs(all) do
        if class_in(claim) == word then
          task:insert_result(symbol, 1.0, word)
          break
        end
      end
    end
    if #all ~= 1 then return end
    local result, found = finding(all[1])
    if not result then return end
    local domain = found['policy.domain']
    task:insert_result(LANE, 1.0, domain)
    if result ~= 'pass' or found['policy.assurance'] ~= 'pkix' then
      task:insert_result(UNVERIFIED, 1.0, result .. ' ' .. (found['policy.assurance'] or 'none'))
      return
    end
    task:insert_result(PKIX, 1.0, domain)
    local aligned = found['policy.from-aligned']
    if aligned == 'strict' or aligned == 'relaxed' then
      task:insert_result(ALIGNED, 1.0, domain .. ' ' .. aligned)
      task:get_mempool():set_variable('packetboat_domain', domain)
      local symbol = IN_FAVOUR[class_in(all[1]) or '']
      if symbol then task:insert_result(symbol, 1.0, domain) end
    else
      task:insert_result(OTHER_AUTHOR, 1.0, domain)
    end
  end,
})
local names = { LANE, PKIX, UNVERIFIED, ALIGNED, OTHER_AUTHOR }
for _, by_class in ipairs({ AGAINST, IN_FAVOUR }) do
  for _, name in pairs(by_class) do names[#names + 1] = name end
end
for _, name in ipairs(names) do
  rspamd_config:register_symbol({ name = name, type = 'virtual', parent = id })
end
