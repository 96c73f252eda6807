"""The hosts of the world and what runs on each, started together and ready when start() returns."""

import os
import pathlib
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from twodomains.authority import Authority
from twodomains.dns import Dns
from twodomains.dovecot import Dovecot
from twodomains.ejabberd import Ejabberd
from twodomains.host import Host
from twodomains.mailbox import Mailbox
from twodomains.names import spellings
from twodomains.namespace import SCRATCH
from twodomains.packetboat import Packetboat
from twodomains.postfix import Postfix
from twodomains.prosody import Prosody

SECRET = "a test's secret"


class Site:
    """One host with all its servers; `xmpp` and `packetboat` are None on a host without."""

    def __init__(self, host, domains, users, aliases=None, xmpp=None, packetboat=None, socketmap=False):
        self.host = host
        self.address = host.address
        self.domain = domains[0]
        self.domains = domains
        self.xmpp = xmpp
        self.packetboat = packetboat
        self.dovecot = Dovecot(host, users)
        self.postfix = Postfix(host, [name for domain in domains for name in spellings(domain)], users, aliases, with_packetboat=packetboat is not None,
                               socketmap=socketmap)

    def mailbox(self, user):
        return Mailbox(self.dovecot.maildir(user))

    def start(self, authority):
        self.host.start()
        self.postfix.configure()
        self.dovecot.configure()
        if self.xmpp:
            self.xmpp.configure(authority)
        with ThreadPoolExecutor() as pool:
            jobs = [pool.submit(self._start_mailboxes)]
            if self.xmpp:
                jobs.append(pool.submit(self._start_xmpp))
            for job in jobs:
                job.result()
        # Packetboat's table has to be there.
        self.postfix.start()

    def keep_logs(self, directory):
        """Copies its logs out of the scratch directory, for a look after a failure."""
        target = pathlib.Path(directory) / self.domain
        shutil.rmtree(target, ignore_errors=True)
        if self.host.logs.exists():
            shutil.copytree(self.host.logs, target)

    def _start_mailboxes(self):
        self.postfix.prepare()
        self.dovecot.start()

    def _start_xmpp(self):
        self.xmpp.start()
        if self.packetboat:
            self.packetboat.configure()
            self.packetboat.start()


class World:
    def __init__(self, scratch=None):
        self.scratch = pathlib.Path(scratch or os.environ[SCRATCH])
        self.authority = Authority(self.scratch / "authority")
        self.dns = Dns(self.scratch / "dns")
        self.sites = {}

    def add_prosody_site(self, domain, address, users, aliases=None, more_domains=(), second_domains=(),
                         other_components=(), changes=(), socketmap=False, unlimited=(), plain_domains=()):
        """A site with Prosody: `more_domains` have components of their own, `second_domains` share the first's."""
        host = Host(domain, address, self.scratch)
        domains = [domain, *more_domains, *second_domains]
        xmpp = Prosody(host, [domain, *more_domains], SECRET, second_domains, other_components, unlimited,
                       plain_domains)
        packetboat = Packetboat(host, domain, SECRET, changes)
        return self._add(Site(host, domains, users, aliases, xmpp, packetboat, socketmap))

    def add_ejabberd_site(self, domain, address, users, aliases=None, other_components=(), second_domains=(),
                          changes=(), intake_socket=None):
        host = Host(domain, address, self.scratch)
        packetboat = Packetboat(host, domain, SECRET, changes, intake_socket)
        xmpp = Ejabberd(host, domain, SECRET, other_components, second_domains)
        return self._add(Site(host, [domain, *second_domains], users, aliases, xmpp, packetboat))

    def add_smtp_site(self, domain, address, users):
        """A site without XMPP."""
        return self._add(Site(Host(domain, address, self.scratch), [domain], users))

    def _add(self, site):
        self.sites[site.domain] = site
        for domain in site.domains:
            self.dns.add_domain(domain, site.address, xmpp=site.xmpp is not None, mx=f"mx.{site.domain}")
        return site

    def start(self):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for site in self.sites.values():
            # Postfix wants its own address to be an interface's.
            subprocess.run(["ip", "address", "add", site.address + "/32", "dev", "lo"], check=True)
        self.authority.start()
        self.dns.start()
        with ThreadPoolExecutor() as pool:
            for job in [pool.submit(site.start, self.authority) for site in self.sites.values()]:
                job.result()

    def keep_logs(self, directory):
        """Those of all sites."""
        for site in self.sites.values():
            site.keep_logs(directory)
