require ["vnd.dovecot.pipe", "copy", "imapsieve"];

pipe :copy "packetboat-complaint" ["spam"];
