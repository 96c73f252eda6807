"""A host's ejabberd: Debian's configuration with the example's."""

import os
import re
import shutil
import signal

from twodomains.names import in_a_labels
from twodomains.templates import EXAMPLES, fill
from twodomains.waiting import accepts, until

# Only here: a CA of our own.
WORLD = 'ca_file: /etc/ejabberd/ca.crt\n'
SECOND_DOMAIN = """hosts:
  - {name}
certfiles:
  - {certificate}
"""
OTHER_COMPONENT = """certfiles:
  - {certificate}
listen:
  -
    port: {port}
    ip: "{address}"
    module: ejabberd_service
    access: all
    max_stanza_size: 524288
    global_routes: false
    hosts:
      {name}:
        password: "{secret}"
"""


class Ejabberd:
    def __init__(self, host, domain, secret, other_components=(), second_domains=()):
        """`second_domains` are served by the first's component, as mod_disco's server_info says for all of them.

        `other_components` have nothing to do with mail; a test connects as one of them."""
        self.host = host
        self.domain = domain
        self.other_components = list(other_components)
        self.second_domains = list(second_domains)
        self._secret = secret
        self._process = None

    def configure(self, authority):
        host = self.host
        certificate = self._certificate(authority, self.domain)
        host.write("/etc/ejabberd/ca.crt", authority.certificate.read_text(), owner="ejabberd")
        host.write("/etc/ejabberd/packetboat.yml",
                   fill("ejabberd/packetboat.yml", domain=self.domain, address=host.address, secret=self._secret,
                        certificate=certificate), owner="ejabberd")
        host.path("/etc/ejabberd/ejabberdctl.cfg").unlink(missing_ok=True)  # a link out of what is copied
        host.write("/etc/ejabberd/ejabberdctl.cfg", fill("ejabberd/ejabberdctl.cfg"), owner="ejabberd")
        for name in self.second_domains:
            host.write(f"/etc/ejabberd/{in_a_labels(name)}.yml",
                       SECOND_DOMAIN.format(name=name, certificate=self._certificate(authority, name)), owner="ejabberd")
        for name in self.other_components:
            host.write(f"/etc/ejabberd/{in_a_labels(name)}.yml",
                       OTHER_COMPONENT.format(name=name, port=self.component_port(name), address=host.address,
                                              secret=self._secret, certificate=self._certificate(authority, name)),
                       owner="ejabberd")
        host.write("/etc/ejabberd/ejabberd.yml", self._shipped() + WORLD, owner="ejabberd")
        host.path("/run/ejabberd").mkdir()
        (host.logs / "ejabberd").mkdir(exist_ok=True)
        for folder in ("/run/ejabberd", "/var/log/ejabberd", "/var/lib/ejabberd", "/etc/ejabberd"):
            shutil.chown(host.path(folder), "ejabberd", "ejabberd")

    def _shipped(self):
        """Debian's file, with the edits that the example asks for, and this host's address."""
        text = open("/usr/share/ejabberd/ejabberd.yml.example").read()
        text = text.replace('ip: "::"', f'ip: "{self.host.address}"')
        for line in self.lines_to_remove():
            text, count = re.subn(rf"^ *{re.escape(line)}\n", "", text, flags=re.M)
            if count != 1:
                raise ValueError(f"ejabberd's shipped file has {count} lines {line!r}")
        return text + "\ninclude_config_file:\n" + "".join(
            f"  - /etc/ejabberd/{in_a_labels(name)}.yml\n"
            for name in ["packetboat", *self.second_domains, *self.other_components])

    @staticmethod
    def lines_to_remove():
        """As the example says."""
        words = (EXAMPLES / "ejabberd/packetboat.yml").read_text().partition("remove from Debian's ejabberd.yml:\n")[2]
        return [line[4:] for line in words.partition("hosts:")[0].splitlines() if line.startswith("#   ")]

    def _certificate(self, authority, name):
        path = f"/etc/ejabberd/{in_a_labels(name)}.pem"
        key, chain = authority.issue(name)
        self.host.write(path, key.read_text() + chain.read_text(), mode=0o640, owner="ejabberd")
        return path

    def component_port(self, name):
        """Each component has a listener of its own."""
        return 5347 if name not in self.other_components else 5348 + self.other_components.index(name)

    def start(self):
        self._process = self.host.popen(
            # A port of its own in place of the port mapper, which all hosts would share.
            ["env", "HOME=/var/lib/ejabberd", f"ERL_DIST_PORT={5210 + int(self.host.address.split('.')[2])}",
             "ejabberdctl", "foreground"],
            "ejabberd.out", user="ejabberd")
        until(self._is_up, f"{self.host.name}: ejabberd", 60)

    def stop(self):
        self._end(signal.SIGTERM)

    def kill(self):
        self._end(signal.SIGKILL)

    def wait(self):
        """For one that is expected to end by itself."""
        until(lambda: self._process.poll() is not None, f"{self.host.name}: the end of ejabberdctl")
        until(self._has_ended, f"{self.host.name}: the end of ejabberd")

    def _is_up(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.host.name}: ejabberd ended; see {self.host.logs}/ejabberd")
        return all(accepts(self.host.address, port) for port in (5269, 5347))

    def _end(self, how):
        # ejabberdctl is a shell script that doesn't pass signals on: this goes to its whole group.
        os.killpg(self._process.pid, how)
        self._process.wait(30)
        until(self._has_ended, f"{self.host.name}: the end of ejabberd", 30)

    def _has_ended(self):
        try:
            # Without its shell, Erlang is the child of the namespace's first process: this one.
            os.waitpid(-self._process.pid, os.WNOHANG)
            return False
        except ChildProcessError:
            return True
