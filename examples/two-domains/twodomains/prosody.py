"""A host's Prosody: Debian's configuration, the example's, and the few lines that only a test needs."""

import re
import shutil
import signal

from twodomains.names import in_a_labels
from twodomains.templates import EXAMPLES, fill
from twodomains.waiting import accepts, until

# Only here: names under .test, a CA of our own, several servers on one machine.
WORLD = """
interfaces = {{ "{address}" }}
ssl = {{ cafile = "/etc/prosody/certs/ca.crt" }}
unbound = {{ options = {{ ["local-zone:"] = "test. transparent", ["do-not-query-localhost:"] = "no" }} }}
"""


class Prosody:
    def __init__(self, host, domains, secret, second_domains=(), other_components=(), unlimited=(),
                 plain_domains=()):
        """`domains` each get a component mail.<domain>; `second_domains` are served by the first's.

        `unlimited`: peers' components that the rate limit is not for.

        `plain_domains` have no mail.

        `other_components` have nothing to do with mail; a test connects as one of them."""
        self.host = host
        self.domains = list(domains)
        self.second_domains = list(second_domains)
        self.other_components = list(other_components)
        self.plain_domains = list(plain_domains)
        self._unlimited = list(unlimited)
        self._secret = secret
        self._process = None

    def configure(self, authority):
        host = self.host
        # The rest of Debian's configuration stays as it is, with its localhost.
        for old in host.path("/etc/prosody/conf.d").glob("*"):
            old.unlink()
        for folder in ("/run/prosody", "/var/log/prosody"):
            host.path(folder).mkdir()
            shutil.chown(host.path(folder), "prosody", "prosody")
        self._write("world", WORLD.format(address=host.address))
        for domain in self.domains:
            text = fill("prosody/packetboat.cfg.lua", domain=domain, address=host.address, secret=self._secret)
            if self._unlimited:
                names = '", "'.join(self._unlimited)
                text = re.sub(r"-- ((?:modules_enabled|unlimited_jids) =)", r"\1", text).replace("mail.peer.example", names)
            self._write(domain, text)
        for domain in self.second_domains:
            self._write(domain, fill("prosody/second-domain.cfg.lua", domain=self.domains[0], second=domain))
        for domain in self.plain_domains:
            self._write(domain, f'VirtualHost "{domain}"\n')
        for name in self.other_components:
            self._write(name, f'Component "{name}"\n\tcomponent_secret = "{self._secret}"\n')
        self._install_module()
        certificates = host.path("/etc/prosody/certs")
        shutil.copy(authority.certificate, certificates / "ca.crt")
        for domain in self.domains + self.second_domains + self.other_components:
            for file in authority.issue(domain):
                shutil.copy(file, certificates)
                shutil.chown(certificates / file.name, "prosody", "prosody")

    def start(self):
        self._process = self.host.popen(["prosody", "-F"], "prosody/output.log", user="prosody")
        until(self._is_up, f"{self.host.name}: Prosody", 30)

    def component_port(self, _name):
        return 5347

    def process_id(self):
        return self._process.pid

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def _is_up(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.host.name}: Prosody ended; see {self.host.logs}/prosody")
        return all(accepts(self.host.address, port) for port in (5269, 5347))

    def _write(self, name, text):
        self.host.write(f"/etc/prosody/conf.d/{in_a_labels(name)}.cfg.lua", text, owner="prosody")

    def _install_module(self):
        folder = "/etc/prosody/packetboat-modules"
        text = (EXAMPLES / "prosody/mod_mail_transfer_addresses.lua").read_text()
        self.host.write(f"{folder}/mod_mail_transfer_addresses.lua", text)
        self._write("modules", f'plugin_paths = {{ "{folder}" }}\n')
