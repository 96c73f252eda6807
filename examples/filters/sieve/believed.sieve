# A Sieve script (for Dovecot's Pigeonhole): files mail whose author's own domain has brought it over XMPP, over a
# link whose both ends were verified. packetboat.example.org is the `authserv-id` of packetboat.conf, or else its
# `hostname`; change it in each line.
#
# The rule is about one field from its beginning to its end. What stands in the middle of a filter's field, a stranger may
# have written: his address, for one. It is as true as what Postfix and Packetboat remove on the way in (README, step 3).
# It says who has sent a mail, and not that it is welcome. For those alone that you trust (`packetboat peers trust`),
# write `policy.domain=* policy.class=trusted *` in both lines that have `policy.domain=*`.
# Pigeonhole shows a folding as one blank. Its wildcard for one character is left alone: in 2.3 it takes more than one.
require ["fileinto", "mailbox"];

if allof (
    header :matches "Authentication-Results" [
        "packetboat.example.org; x-xmpp-s2s=pass policy.assurance=pkix policy.domain=* policy.from-aligned=strict",
        "packetboat.example.org; x-xmpp-s2s=pass policy.assurance=pkix policy.domain=* policy.from-aligned=relaxed"],
    # Packetboat writes one method, each word once, no comment, and here nothing in quotes.
    not header :matches "Authentication-Results" [
        "packetboat.example.org;*policy.from-aligned=*policy.from-aligned=*",
        "packetboat.example.org;*policy.class=*policy.class=*",
        "packetboat.example.org;*;*", "packetboat.example.org;*(*", "packetboat.example.org;*\"*"]) {
    fileinto :create "Believed";
}
