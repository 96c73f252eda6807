require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment"];

# Who throws away what is in Junk does not take anything back.
if not environment :is "imap.mailbox" "Trash" {
  pipe :copy "packetboat-complaint" ["not-spam"];
}
