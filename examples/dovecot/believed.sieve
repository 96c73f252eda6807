# A Sieve script (for Dovecot's Pigeonhole): files mail whose author's own domain has brought it over XMPP, over a
# link whose both ends were verified. packetboat.example.org is the `authserv-id` of packetboat.conf.
#
# The rule is about how the field begins. What stands further on in a filter's field, a stranger may have
# written: his address, for one.
require ["fileinto", "mailbox"];

if header :matches "Authentication-Results" [
        "packetboat.example.org; x-xmpp-s2s=pass policy.assurance=pkix*policy.from-aligned=strict",
        "packetboat.example.org; x-xmpp-s2s=pass policy.assurance=pkix*policy.from-aligned=relaxed"] {
    fileinto :create "Believed";
}
