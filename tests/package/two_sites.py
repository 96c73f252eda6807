"""Two domains on two machines that exchange chat and mail, as they were before Packetboat; and what people there do."""

import contextlib
import shutil

import machine as machines
import site_before
from internet import internet
from twodomains.authority import Authority
from twodomains.waiting import until

PATIENCE = 120  # seconds


class TwoSites:
    def __init__(self, a, b, net):
        self.a, self.b = a, b
        self.sites = (a, b)
        self._net = net
        self._sent = 0

    def chat(self):
        """The users of both write to each other, and read it. A server that has just begun may not do yet."""
        people = [f"{site.jid},{site.address},{site_before.PASSWORD}" for site in self.sites]

        def both():
            self.chatted = self._net.person("chat", *people)
            return self.chatted.returncode == 0

        until(both, lambda: f"chat: {self.chatted.stderr}", PATIENCE)

    def submit(self, sender, recipient, content, login=True):
        """A mail of a user who logs in, or of a stranger who brings it to the recipient's server; the result has returncode, stderr."""
        server = sender if login else next(site for site in self.sites if site.domain == recipient.partition("@")[2])
        how = ["--port", "587", "--login", f"{sender.login}:{site_before.PASSWORD}"] if login else []
        return self._net.person("mail", server.address, *how, "--sender", sender.jid, recipient, input=content)

    def send(self, sender, recipient, width=900):
        """A user writes to the other one, a line so wide among others; returns the mail's text, in which a word is like no other's."""
        self._sent += 1
        word = f"word-{self._sent}-of-{sender.domain}"
        content = (f"From: <{sender.jid}>\nTo: <{recipient.jid}>\nSubject: {word}\nMessage-ID: <{word}@{sender.domain}>\n"
                   f"Date: Mon, 30 Nov 2026 12:00:00 +0000\n\n  Hello,\n.\n..two\n\n{word}, \t and {'x' * width}.\n-- \n")
        done = self.submit(sender, recipient.jid, content)
        assert done.returncode == 0, done.stderr
        return content

    def arrived(self, recipient, content):
        """The mail in the recipient's mailbox, once it is there; as it was sent, and once."""
        word = content.partition("Subject: ")[2].partition("\n")[0]
        found = recipient.mailbox().wait_for(f"Message-ID: <{word}@", PATIENCE)
        assert found.content.endswith(content.encode()), found.content
        return found

    def exchange(self, **more):
        """A mail each way, one after the other; returns what arrived: at b, at a."""
        return [self.arrived(recipient, self.send(sender, recipient, **more))
                for sender, recipient in ((self.a, self.b), (self.b, self.a))]


@contextlib.contextmanager
def two_sites(deb, folder, trees, xmpp_of_b):
    """a.example, with Prosody and rules of its own in Postfix, and b.example."""
    authority = Authority(folder / "authority")
    authority.start()
    with contextlib.ExitStack() as stack:
        net = stack.enter_context(internet(folder))
        sites = []
        for name, xmpp, number in (("a", "prosody", 11), ("b", xmpp_of_b, 12)):
            tree = machines.tree_for(deb, trees, folder / name, site_before.PACKAGES + site_before.XMPP_PACKAGES[xmpp])
            # They are large. What the machines said stays.
            stack.callback(shutil.rmtree, tree)
            machine = stack.enter_context(machines.booted(tree, folder / f"console-{name}"))
            user = {"a": "alice", "b": "bob"}[name]
            sites.append(site_before.Site(machine, f"{name}.example", f"192.0.2.{number}", user, xmpp, virtual=name == "a"))
            net.attach(machine, sites[-1].address)
            for domain in (sites[-1].domain, sites[-1].second):
                net.add_domain(domain, sites[-1].address, sites[-1].component)
            shutil.copy(deb, machine.path("/root/packetboat.deb"))
        stack.enter_context(net.serving())
        for site in sites:
            site.configure(authority)
        yield TwoSites(*sites, net)
