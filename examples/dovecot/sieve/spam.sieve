require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "variables"];

# Whose mailbox it is.
if environment :matches "imap.user" "*" { set "user" "${1}"; }
pipe :copy "packetboat-complaint" ["spam", "${user}"];
