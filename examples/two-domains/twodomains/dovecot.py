"""A host's Dovecot: Debian's configuration with the example's, and its mailboxes."""

import shutil
import signal

from twodomains.templates import fill
from twodomains.waiting import accepts_unix, until

# Only here: delivery is all that it does.
WORLD = """
protocols = lmtp
ssl = no
log_path = /var/log/dovecot.log
hostname = mx.{domain}
"""


class Dovecot:
    def __init__(self, host, users):
        self.host = host
        self.users = list(users)
        self._process = None

    def configure(self):
        # The pristine copies: this machine's own may have been adapted.
        shutil.copytree("/usr/share/dovecot", self.host.path("/etc/dovecot"), dirs_exist_ok=True)
        # It names a certificate that this host doesn't have, and doesn't need.
        self.host.path("/etc/dovecot/conf.d/10-ssl.conf").unlink()
        self.host.write("/etc/dovecot/local.conf", fill("dovecot/local.conf")
                        + WORLD.format(domain=self.host.name))
        # dovecot-lda writes there under the mailboxes' account.
        self.host.write("/var/log/dovecot.log", "", mode=0o666)
        self.host.write("/etc/dovecot/users", "".join(f"{user}:{{PLAIN}}x::::::\n" for user in self.users))
        self.host.path("/var/mail").chmod(0o755)
        for user in self.users:
            self.maildir(user).parent.mkdir(exist_ok=True)
            shutil.chown(self.maildir(user).parent, "mail", "mail")

    def start(self):
        self._process = self.host.popen(["dovecot", "-F"], "dovecot.out")
        until(self._is_up, f"{self.host.name}: Dovecot; see {self.host.logs}/dovecot.log", 20)

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)

    def maildir(self, user):
        local, domain = user.split("@")
        return self.host.path("/var/mail") / domain / local

    def _is_up(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.host.name}: Dovecot ended: " + (self.host.logs / "dovecot.out").read_text())
        return accepts_unix(self.host.path("/var/spool/postfix/private/dovecot-lmtp"))
