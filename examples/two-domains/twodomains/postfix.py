"""A host's Postfix: Debian's configuration with the examples', for one or several domains."""

import contextlib
import os
import pathlib
import re

from twodomains.templates import fill
from twodomains.waiting import accepts, until

# Only here: several servers on one machine, which all come from 127.0.0.0/8, quick retries, every header
# field of a given file, even Bcc, which a real site should go on to drop, and large mails.
WORLD = """
myhostname = mx.{domain}
mydomain = {domain}
myorigin = {domain}
inet_interfaces = {address}
inet_protocols = ipv4
maillog_file = /var/log/mail.log
alias_maps =
alias_database =
minimal_backoff_time = 5s
queue_run_delay = 5s
message_drop_headers =
"""
LOG_SERVICE = "postlog   unix-dgram n  -       n       -       1       postlogd\n"


class Postfix:
    def __init__(self, host, domains, users, aliases=None, with_packetboat=True, socketmap=False):
        """`aliases`: internationalised address -> the user whose mailbox it is.

        `socketmap`: it asks Packetboat for each recipient, in place of the table."""
        self.host = host
        self.domains = list(domains)
        self.users = list(users)
        self.aliases = aliases or {}
        self.with_packetboat = with_packetboat
        self.socketmap = socketmap
        self._process = None

    def configure(self):
        host = self.host
        domains = " ".join(self.domains)
        main = open("/usr/share/postfix/main.cf.debian").read()
        main += fill("postfix/dovecot-main.cf", domain=domains)
        # As shipped, but for the address: port 25 of each host is on an address of its own.
        master = open("/usr/share/postfix/master.cf.dist").read()
        master = master.replace("\nsmtp      inet", f"\n{host.address}:25 inet")
        master += fill("postfix/dovecot-master.cf")
        if self.with_packetboat:
            main += self._lanes()
            master += fill("postfix/master.cf", address=host.address)
            self._write("own-domains", self._own_domains())
            self._write("packetboat-header-checks", fill("postfix/packetboat-header-checks"))
        else:
            # All clients here look like this host's own, and get a Date added where they have none.
            main += "local_header_rewrite_clients =\nmailbox_size_limit = 0\nvirtual_mailbox_limit = 0\n"
        main += WORLD.format(domain=self.domains[0], address=host.address)
        self._write("main.cf", main)
        self._write("master.cf", master)
        self._write("mailboxes", "".join(f"{user} -\n" for user in self.users))
        self._write("aliases", "".join(f"{alias} {user}\n" for alias, user in self.aliases.items()))

    def _lanes(self):
        """The examples' main.cf, for large mails."""
        state = str(self.host.directory / "packetboat/state")
        text = fill("postfix/main.cf", address=self.host.address, state=state)
        if self.socketmap:
            text = re.sub(r"^(transport_maps|smtpd_recipient_restrictions) =.*\n([ \t].*\n)*", "", text, flags=re.M)
            text += fill("postfix/main-socketmap.cf", address=self.host.address)
        elif self.aliases:
            # Some users' mail takes a way of its own (dovecot-main.cf).
            text = text.replace("transport_maps = ", "transport_maps = regexp:/etc/postfix/own-domains, ")
        return text.replace("message_size_limit = 52428800", "message_size_limit = 209715200")

    def _own_domains(self):
        local = [user.replace("@", r"(\+.*)?@").replace(".", r"\.").replace(r"\.*", ".*")
                 for user in self.aliases.values()]
        return ("".join(f"/^{user}$/ dovecot-lda:\n" for user in local)
                + "".join(fill("postfix/own-domains", pattern=domain.replace(".", r"\.")) for domain in self.domains))

    def prepare(self):
        """The queue's directories and the chroot's files; Dovecot puts its socket there before start()."""
        # A start writes to it as the user `postfix`, about files that a stop has left half made.
        log = self.host.logs / "mail.log"
        log.touch()
        log.chmod(0o666)
        self._must("postfix", "check")
        self._must("/usr/lib/postfix/configure-instance.sh", "-")

    def start(self):
        self._process = self.host.popen(["postfix", "start-fg"], "postfix.out")
        until(self._is_up, f"{self.host.name}: Postfix; see {self.host.logs}/mail.log", 30)

    def stop(self):
        self._must("postfix", "stop")
        self._process.wait(30)

    def reload(self):
        """Reads the configuration again; returns once nobody who knows only the old one takes another client.

        `postfix reload` asks its servers to end, and does not wait for it. One with a client goes on with it."""
        old = self.processes("smtpd", "cleanup", "pickup")
        self._must("postfix", "reload")
        until(lambda: not any(map(waits_for_a_client, old)), f"{self.host.name}: Postfix to have reloaded")

    def processes(self, *names):
        """Those of Postfix's own that have one of these names, as folders of /proc."""
        master = self.host.path("/var/spool/postfix/pid/master.pid").read_text().strip()
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has just ended
                # PID (NAME) STATE PARENT ...
                name, rest = re.search(r"\((.*)\) . (\d+) ", (process / "stat").read_text()).groups()
                if rest == master and name in names:
                    found.append(process)
        return found

    def flush(self):
        """Tries everything in the queue now."""
        self._must("postqueue", "-f")

    def queue(self):
        """What waits in the queue, as postqueue(1) shows it; empty if nothing does."""
        text = self._must("postqueue", "-p").stdout.decode()
        return "" if "Mail queue is empty" in text else text

    def log(self):
        return (self.host.logs / "mail.log").read_text()

    def _is_up(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.host.name}: Postfix ended; see {self.host.logs}/postfix.out")
        ports = (25, 2526, 2527) if self.with_packetboat else (25,)
        return all(accepts(self.host.address, port) for port in ports)

    def _must(self, *words):
        result = self.host.command(*words)
        if result.returncode:
            raise RuntimeError(f"{self.host.name}: {' '.join(words)}: {result.stderr.decode()}")
        return result

    def _write(self, name, text):
        self.host.write(f"/etc/postfix/{name}", text)


def waits_for_a_client(process):
    """Whether a Postfix server is there, and has no client on the network."""
    try:
        sockets = {os.readlink(fd) for fd in (process / "fd").iterdir()}
        rows = [line.split() for line in (process / "net/tcp").read_text().splitlines()[1:]]
    except OSError:
        return False
    return not sockets & {f"socket:[{row[9]}]" for row in rows if row[3] == "01"}  # established
