-- Says which components may carry a domain's mail: the field `mail-transfer-addresses` of the
-- server-info form (XEP-0157). Prosody 0.12's mod_server_contact_info has a fixed list of fields.
--
-- At a component it is for all domains whose mail that carries, and needs nothing at these:
--
--   Component "mail.example.org"
--       modules_enabled = { "mail_transfer_addresses" }
--       mail_transfer_domains = { "example.org", "second.example" }
--
-- Or at the domain itself:
--
--   VirtualHost "example.org"
--       modules_enabled = { "mail_transfer_addresses" }
--       mail_transfer_addresses = { "mail.example.org" }

local st = require "util.stanza";
local set = require "util.set";
local config = require "core.configmanager";
local modules = require "core.modulemanager";

local NAME = "mail_transfer_addresses";
local DOMAINS = "mail_transfer_domains";
local FORM_TYPE = "http://jabber.org/network/serverinfo";
local FIELD = "mail-transfer-addresses";

-- The component's part: loads this module at its domains, now and when one comes later.
if module:get_host_type() ~= "local" then
	local domains = module:get_option_set(DOMAINS, {});
	local function announce(domain)
		if domains:contains(domain) and not modules.is_loaded(domain, NAME) then
			modules.load(domain, NAME);
		end
	end
	for domain in domains do
		if prosody.hosts[domain] then
			announce(domain);
		end
	end
	module:hook_global("host-activated", announce);
	return;
end

-- The domain's part. The field goes into that module's form, as a second one of the same FORM_TYPE would be
-- against XEP-0128.
module:depends("disco");
module:depends("server_contact_info"); -- loads it if the configuration doesn't

local addresses = module:get_option_set("mail_transfer_addresses", {});
for name in pairs(config.getconfig()) do
	local domains = name ~= "*" and config.rawget(name, DOMAINS);
	if type(domains) == "table" and set.new(domains):contains(module.host) then
		addresses:add(name);
	end
end

local function form_type(form)
	for field in form:childtags("field") do
		if field.attr.var == "FORM_TYPE" then
			return field:get_child_text("value");
		end
	end
end

local field = st.stanza("field", { var = FIELD, type = "list-multi" });
for address in addresses do
	field:text_tag("value", address);
end

for _, form in ipairs(module:get_host_items("extension")) do
	if form_type(form) == FORM_TYPE then
		form:reset():add_child(field);
	end
end
