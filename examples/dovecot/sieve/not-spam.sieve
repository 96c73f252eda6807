require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "variables"];

# Who throws away what is in Junk does not take anything back.
if not environment :is "imap.mailbox" "Trash" {
  if environment :matches "imap.user" "*" { set "user" "${1}"; }
  pipe :copy "packetboat-complaint" ["not-spam", "${user}"];
}
