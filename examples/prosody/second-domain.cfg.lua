-- A second mail domain that is served by the component of the first: copy to /etc/prosody/conf.d/,
-- and put mod_mail_transfer_addresses.lua where plugin_paths looks. Prosody 0.12 has
-- /usr/local/lib/prosody/modules there as Debian ships it.
-- In packetboat.conf, name both: `domains = example.org second.example`.

VirtualHost "second.example"
	modules_enabled = { "mail_transfer_addresses" }
	-- Peers believe that mail.example.org carries this domain's mail because this domain says so.
	mail_transfer_addresses = { "mail.example.org" }
