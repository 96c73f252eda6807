-- Prosody for Packetboat: copy to /etc/prosody/conf.d/, change example.org and the secret, restart.
-- Written for Prosody 0.12. Options up to the first VirtualHost are the whole server's.

-- Mail is only as trustworthy as the link it comes by: a peer has to show a certificate that names
-- its domain and, for mail, its component (mail.example.org). `*.example.org` does.
s2s_secure_auth = true
s2s_require_encryption = true

-- Without the first two, bulk traffic stalls at about 3.5 MB/s, mostly idle; the third saves it some work.
network_settings = { nagle = false, min_wait = 0, read_size = 65536 }

-- By default Prosody begins to collect garbage anew when its memory has grown by a twentieth since the last time, which is half of
-- its work where mail flows. 200: when it has doubled. Costs a few megabytes.
gc = { threshold = 200 }

-- Debian ships 30kb/s for a server-to-server link: two mails with an attachment a minute.
-- Names have to be repeated here that you want to keep, as an option is replaced, not merged.
limits = {
	c2s = { rate = "10kb/s" };
	s2sin = { rate = "10mb/s" };
}

-- The most that one stanza may have, for components and for other servers. This is the default;
-- `max-stanza` in packetboat.conf must not exceed the smaller of the two.
component_stanza_size_limit = 524288
s2s_stanza_size_limit = 524288

-- Where Packetboat connects (`server` in packetboat.conf).
component_ports = { 5347 }
component_interfaces = { "127.0.0.1" }

-- Also install lua-unbound: without it the first lookup of a peer takes seconds.

-- Says which component carries the domain's mail: peers then believe nobody else, not even another component of
-- this server. Needs mod_mail_transfer_addresses.lua (beside this file) in a folder of plugin_paths; Debian's
-- configuration has /usr/local/lib/prosody/modules there.
VirtualHost "example.org"
	modules_enabled = { "mail_transfer_addresses" }
	mail_transfer_addresses = { "mail.example.org" }

-- No `name` here: while Packetboat is down, a named component makes Prosody itself answer in its
-- place, and peers would take that for "no mail here".
Component "mail.example.org"
	component_secret = "change-me"
	-- A reconnecting Packetboat takes over at once; the default refuses it while the old link times out.
	component_conflict_resolve = "kick_old"
	-- The s2sin limit costs the server about a third of its speed. A peer that you know and trust can go
	-- without it:
	-- modules_enabled = { "limits" }
	-- unlimited_jids = { "mail.peer.example" }
