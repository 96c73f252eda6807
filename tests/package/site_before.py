"""A mail domain as it was before Packetboat: Debian's servers on a machine, with what an administrator has changed.

Two administrators, two ways. The `virtual` one has mailboxes that are no accounts of the machine, and rules of his own in Postfix;
the other one has the users of the machine, and Debian's Postfix."""

import shutil

from twodomains.mailbox import Mailbox
from twodomains.waiting import until

PACKAGES = ["ca-certificates", "dovecot-imapd", "dovecot-lmtpd", "postfix", "postfix-lmdb"]
XMPP_PACKAGES = {"prosody": ["lua-unbound", "prosody"], "ejabberd": ["ejabberd"]}
PASSWORD = "Geheimnis"
CERTIFICATE, KEY = "/etc/ssl/site/certificate.pem", "/etc/ssl/site/key.pem"

DOVECOT = """
ssl_cert = <{certificate}
ssl_key = <{key}
service lmtp {{
  unix_listener /var/spool/postfix/private/dovecot-lmtp {{
    mode = 0600
    user = postfix
    group = postfix
  }}
}}
service auth {{
  unix_listener /var/spool/postfix/private/auth {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
"""
DOVECOT_VIRTUAL = """
mail_location = maildir:/var/vmail/%d/%n
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u /etc/dovecot/users
}
userdb {
  driver = static
  args = uid=vmail gid=vmail home=/var/vmail/%d/%n
}
"""
# Of john@domain, the user john.
DOVECOT_SYSTEM = """
mail_location = maildir:~/Maildir
auth_username_format = %n
"""

POSTFIX = """myhostname = mx.{domain}
myorigin = {domain}
mynetworks = 127.0.0.0/8
inet_protocols = ipv4
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
"""
POSTFIX_VIRTUAL = """mydestination = localhost
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = hash:/etc/postfix/mailboxes
virtual_transport = lmtp:unix:private/dovecot-lmtp
transport_maps = hash:/etc/postfix/transport
header_checks = regexp:/etc/postfix/header_checks
smtpd_recipient_restrictions = check_recipient_access hash:/etc/postfix/recipients
"""
POSTFIX_SYSTEM = """mydestination = {domain} localhost
mailbox_transport = lmtp:unix:private/dovecot-lmtp
"""
SUBMISSION = """submission inet n       -       y       -       -       smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
"""
# What the rules of the one with `virtual` do is in his tables.
SUBMISSION_VIRTUAL = SUBMISSION + (
    "  -o smtpd_recipient_restrictions=check_recipient_access,hash:/etc/postfix/submission,permit_sasl_authenticated,reject\n")
TABLES = {
    "transport": "gone.example error:5.1.2 gone.example is no more\n",
    "recipients": "closed@{domain} 550 5.7.1 this one is closed\n",
    "submission": "never@elsewhere.example 550 5.7.1 nobody here writes to that one\n",
}
HEADER_CHECKS = "/^X-Forbidden:/ REJECT such a field is forbidden here\n"

PROSODY = """VirtualHost "{domain}"
"""


class Site:
    def __init__(self, machine, domain, address, user, xmpp, virtual):
        self.machine = machine
        self.domain = domain
        self.address = address
        self.user = user
        self.jid = self.login = f"{user}@{domain}"
        if not virtual:
            self.login = user
        self.second = f"second-{domain}"  # a domain that may come to it
        self.component = f"mail.{domain}"
        self.xmpp = xmpp
        self._virtual = virtual

    def configure(self, authority):
        self._host(authority)
        self._dovecot()
        self._postfix()
        getattr(self, f"_{self.xmpp}")()
        self.wait_for_servers()

    def wait_for_servers(self):
        until(lambda: self.machine.listens(25, 587, 143, 5222, 5269), f"{self.domain}: its servers", 120)

    def write(self, path, text, append=False):
        """Writes a file in place, as an editor might, so that owner and mode stay."""
        file = self.machine.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(file, "a" if append else "w", encoding="utf-8") as there:
            there.write(text)

    def append(self, path, text):
        self.write(path, text, append=True)

    def replace(self, path, old, new):
        text = self.machine.path(path).read_text()
        assert old in text, f"{path} has no {old!r}"
        self.write(path, text.replace(old, new))

    def mailbox(self, domain=None):
        virtual = f"/var/vmail/{domain or self.domain}/{self.user}"
        return Mailbox(self.machine.path(virtual if self._virtual else f"/home/{self.user}/Maildir"))

    def add_second_domain(self):
        """To one with Prosody and virtual mailboxes."""
        assert self._virtual and self.xmpp == "prosody"
        self.append("/etc/dovecot/users", f"{self.user}@{self.second}:{{PLAIN}}{PASSWORD}::::::\n")
        self.append("/etc/postfix/mailboxes", f"{self.user}@{self.second} -\n")
        self.machine.must("postmap", "hash:/etc/postfix/mailboxes")
        self.machine.must("postconf", "-e", f"virtual_mailbox_domains = {self.domain}, {self.second}")
        self.machine.must("systemctl", "reload", "postfix")
        self.append(f"/etc/prosody/conf.avail/{self.domain}.cfg.lua", PROSODY.format(domain=self.second))
        self.restart_xmpp()

    def restart_xmpp(self):
        self.machine.must("systemctl", "restart", self.xmpp)
        self.wait_for_servers()

    def _host(self, authority):
        self.write("/etc/hostname", f"mx.{self.domain}\n")
        self.write("/etc/mailname", f"{self.domain}\n")
        self.write("/etc/hosts", f"127.0.0.1 localhost\n{self.address} mx.{self.domain} mx\n")
        self.machine.must("hostname", f"mx.{self.domain}")
        shutil.copy(authority.certificate, self.machine.path("/usr/local/share/ca-certificates/test-ca.crt"))
        self.machine.must("update-ca-certificates")
        names = [self.domain, self.second, self.component, f"xmpp.{self.domain}", f"mx.{self.domain}"]
        key, certificate = authority.issue(self.domain, names=names)
        for file, path in ((key, KEY), (certificate, CERTIFICATE)):
            self.write(path, file.read_text())
        self.machine.path(KEY).chmod(0o600)

    def _dovecot(self):
        text = DOVECOT.format(certificate=CERTIFICATE, key=KEY)
        if self._virtual:
            self.machine.must("useradd", "--create-home", "--home-dir", "/var/vmail", "vmail")
            self.replace("/etc/dovecot/conf.d/10-auth.conf", "\n!include auth-system.conf.ext\n", "\n#!include auth-system.conf.ext\n")
            text += DOVECOT_VIRTUAL
            self.write("/etc/dovecot/users", f"{self.jid}:{{PLAIN}}{PASSWORD}::::::\n")
        else:
            self.machine.must("useradd", "--create-home", self.user)
            self.machine.must("chpasswd", input=f"{self.user}:{PASSWORD}\n")
            text += DOVECOT_SYSTEM
        self.write("/etc/dovecot/local.conf", text)
        self.machine.must("systemctl", "restart", "dovecot")

    def _postfix(self):
        settings = POSTFIX + (POSTFIX_VIRTUAL if self._virtual else POSTFIX_SYSTEM)
        settings = settings.format(domain=self.domain, certificate=CERTIFICATE, key=KEY)
        self.machine.must("postconf", "-e", *settings.splitlines())
        self.append("/etc/postfix/master.cf", SUBMISSION_VIRTUAL if self._virtual else SUBMISSION)
        if self._virtual:
            self.write("/etc/postfix/header_checks", HEADER_CHECKS)
            for name, text in {**TABLES, "mailboxes": f"{self.jid} -\n"}.items():
                self.write(f"/etc/postfix/{name}", text.format(domain=self.domain))
                self.machine.must("postmap", f"hash:/etc/postfix/{name}")
        self.machine.must("systemctl", "restart", "postfix")

    def _prosody(self):
        available = f"/etc/prosody/conf.avail/{self.domain}.cfg.lua"
        self.write(available, PROSODY.format(domain=self.domain))
        self.machine.must("ln", "-s", f"../conf.avail/{self.domain}.cfg.lua", "/etc/prosody/conf.d/")
        self.machine.must("install", "-o", "prosody", "-g", "prosody", "-m", "640", CERTIFICATE, f"/etc/prosody/certs/{self.domain}.crt")
        self.machine.must("install", "-o", "prosody", "-g", "prosody", "-m", "640", KEY, f"/etc/prosody/certs/{self.domain}.key")
        self.machine.must("prosodyctl", "register", self.user, self.domain, PASSWORD)
        self.machine.must("systemctl", "restart", "prosody")

    def _ejabberd(self):
        file = "/etc/ejabberd/ejabberd.yml"
        self.replace(file, "\nhosts:\n  - localhost\n", f"\nhosts:\n  - {self.domain}\n")
        self.replace(file, "/etc/ejabberd/ejabberd.pem", f"/etc/ejabberd/{self.domain}.pem")
        self.write(f"/etc/ejabberd/{self.domain}.pem", "".join(self.machine.path(path).read_text() for path in (KEY, CERTIFICATE)))
        self.machine.must("chown", "root:ejabberd", f"/etc/ejabberd/{self.domain}.pem")
        self.machine.must("chmod", "640", f"/etc/ejabberd/{self.domain}.pem")
        self.machine.must("systemctl", "restart", "ejabberd")
        until(lambda: self.machine.run("ejabberdctl", "register", self.user, self.domain, PASSWORD).returncode == 0, "ejabberd", 120, 1)
