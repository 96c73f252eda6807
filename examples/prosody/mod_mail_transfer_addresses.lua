-- Says which components may carry this domain's mail: the field `mail-transfer-addresses` of the
-- server-info form (XEP-0157). Prosody 0.12's mod_server_contact_info has a fixed list of fields.
--
--   mail_transfer_addresses = { "mail.example.org" }
--
-- The field goes into that module's form, as a second one of the same FORM_TYPE would be against
-- XEP-0128.

local st = require "util.stanza";

local FORM_TYPE = "http://jabber.org/network/serverinfo";
local FIELD = "mail-transfer-addresses";

module:depends("disco");
module:depends("server_contact_info"); -- loads it if the configuration doesn't

local function form_type(form)
	for field in form:childtags("field") do
		if field.attr.var == "FORM_TYPE" then
			return field:get_child_text("value");
		end
	end
end

local field = st.stanza("field", { var = FIELD, type = "list-multi" });
for _, address in ipairs(module:get_option_array("mail_transfer_addresses", {})) do
	field:text_tag("value", address);
end

for _, form in ipairs(module:get_host_items("extension")) do
	if form_type(form) == FORM_TYPE then
		form:reset():add_child(field);
	end
end
