-- A second mail domain that is served by the component of the first: copy to /etc/prosody/conf.d/.
-- In packetboat.conf, name both: `domains = example.org second.example`.

VirtualHost "second.example"
	modules_enabled = { "mail_transfer_addresses" }
	-- Peers believe that mail.example.org carries this domain's mail because this domain says so.
	mail_transfer_addresses = { "mail.example.org" }
