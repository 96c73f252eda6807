-- rspamd for Packetboat, the closed lane: add to /etc/rspamd/rspamd.local.lua, behind packetboat.lua (since 3.11: copy to
-- /etc/rspamd/lua.local.d/). Domains that have promised that their mail comes over XMPP only, and mail that shows such a
-- domain as its author's and did not come so. Nothing of this is proof: lists and forwarders do that, too, so an aligned
-- DKIM signature takes it back, and the scores (groups.conf) are small.

-- Change this: `promised-domains` of [policy-service] in packetboat.conf. rspamd reads it again when it changes.
local promised_domains = '/var/lib/packetboat-lists/promised'
local daemon_name = 'packetboat'

local PROMISED, UNPROVEN, BAD_CLASS = 'PACKETBOAT_PROMISED', 'PACKETBOAT_UNPROVEN', 'PACKETBOAT_UNPROVEN_CLASS'
local rspamd_util = require 'rspamd_util'
local promised = rspamd_config:add_map({
  url = promised_domains, type = 'set', description = 'domains that promise to send over XMPP only',
})

-- It came in by Postfix's service 2526.
local function came_over_xmpp(task)
  return tostring(task:get_request_header('MTA-Name') or '') == daemon_name
end

-- A valid signature of the author's own organisation.
local function is_signed(task, domain)
  local own = rspamd_util.get_tld(domain)
  for _, symbol in ipairs(task:get_symbol('R_DKIM_ALLOW') or {}) do
    for _, option in ipairs(symbol.options or {}) do
      local signer = option:match('^([^:]+):')
      if signer and rspamd_util.get_tld(signer:lower()) == own then return true end
    end
  end
  return false
end

local id = rspamd_config:register_symbol({
  name = 'PACKETBOAT_CLOSED_LANE',
  type = 'callback',
  callback = function(task)
    if came_over_xmpp(task) then return end
    for _, author in ipairs(task:get_from('mime') or {}) do
      local domain = (author.domain or ''):lower()
      if promised and domain ~= '' and promised:get_key(domain) and not is_signed(task, domain) then
        task:insert_result(PROMISED, 1.0, domain)
        break
      end
    end
    -- The mark of Packetboat's policy service; nobody else's gets through Postfix, and nobody would gain by it.
    for _, field in ipairs(task:get_header_full('Packetboat-Unproven') or {}) do
      local lane = field.value:match('; closed%-lane=(%l+)')
      local class = field.value:match('; class=(%l+)')
      if lane then task:insert_result(UNPROVEN, 1.0, lane) end
      if class then task:insert_result(BAD_CLASS, 1.0, class) end
    end
  end,
})
for _, name in ipairs({ PROMISED, UNPROVEN, BAD_CLASS }) do
  rspamd_config:register_symbol({ name = name, type = 'virtual', parent = id })
end
rspamd_config:register_dependency('PACKETBOAT_CLOSED_LANE', 'DKIM_CHECK')
