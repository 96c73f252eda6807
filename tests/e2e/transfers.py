"""The payloads of the protocol, right and wrong, as a component of the tests' own sends them."""

import base64
import datetime
import hashlib
import re

from component import TRANSFER


def transfer(domain, sender, recipient, letter, **wrong):
    """A letter as the payload of an IQ, under an id that it alone has; `wrong` replaces what would be right."""
    content = re.sub(rb"\r?\n", b"\r\n", letter.content)
    expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    its = {"id": hashlib.sha256(letter.id.encode()).hexdigest()[:44], "size": len(content), "slice": len(content),
           "expires": f"{expires:%Y-%m-%dT%H:%M:%SZ}", "hash": text_of(hashlib.sha256(content).digest()),
           "enc": "none", "block_size": len(content), "block": text_of(content), "more": ""} | wrong
    return (f"<transfers xmlns='{TRANSFER}'><transfer id='{its['id']}' domain='{domain}'>"
            f"<envelope size='{its['size']}' expires='{its['expires']}'>"
            f"<from addr='{sender}'/><rcpt n='0' addr='{recipient}'/></envelope>"
            f"<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>{its['hash']}</hash>"
            f"<content off='0' size='{its['slice']}'/>{its['more']}</transfer>"
            f"<block enc='{its['enc']}' size='{its['block_size']}'>{its['block']}</block></transfers>")


def text_of(octets):
    return base64.b64encode(octets).decode()


def verdicts(request, code="250", status="2.1.5", text="", **wrong):
    """The same reply for each recipient of a request that was received; `wrong` replaces what would be right."""
    found = ""
    for member in request.iter(f"{{{TRANSFER}}}transfer"):
        numbers = wrong.get("numbers", [rcpt.get("n") for rcpt in member.iter(f"{{{TRANSFER}}}rcpt")])
        recipients = "".join(f"<rcpt n='{n}' code='{code}' status='{status}'>{text}</rcpt>" for n in numbers)
        its = {"id": member.get("id"), "domain": member.get("domain"), "state": "done"} | wrong
        found += (f"<verdict id='{its['id']}' domain='{its['domain']}' state='{its['state']}' queue-id='X1'>"
                  f"{recipients}</verdict>")
    return f"<verdicts xmlns='{TRANSFER}'>{found}</verdicts>"


def verdict_on(request, state="done", recipients="<rcpt n='0' code='250' status='2.1.5'/>", more=""):
    """An answer to a request that is about one transfer, whatever it is."""
    about = request[0]
    return (f"<verdicts xmlns='{TRANSFER}'><verdict id='{about.get('id')}' domain='{about.get('domain')}' "
            f"state='{state}'{more}>{recipients}</verdict></verdicts>")


def report(transfer, number, action, code, status, n=0):
    """What became later of a recipient of a transfer that was received (an element)."""
    return (f"<report xmlns='{TRANSFER}' id='{transfer.get('id')}' domain='{transfer.get('domain')}' seq='{number}'>"
            f"<rcpt n='{n}' action='{action}' code='{code}' status='{status}' time='2026-11-26T09:12:44Z'>"
            f"report {number}</rcpt></report>")


def reply_in(answer):
    """Code and status of the one recipient in an IQ's answer."""
    assert answer.get("type") == "result", answer.attrib
    verdict = answer.find(f".//{{{TRANSFER}}}rcpt")
    return verdict.get("code"), verdict.get("status")


class Pieces:
    """A letter that goes in pieces, under an id that it alone has."""

    def __init__(self, domain, sender, recipient, letter, **wrong):
        self.content = re.sub(rb"\r?\n", b"\r\n", letter.content)
        expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        self.its = {"id": "0" + hashlib.sha256(letter.id.encode()).hexdigest()[:43], "size": len(self.content),
                    "hash": text_of(hashlib.sha256(self.content).digest()),
                    "expires": f"{expires:%Y-%m-%dT%H:%M:%SZ}"} | wrong
        self.domain, self.sender, self.recipient = domain, sender, recipient

    def _key(self):
        return f"xmlns='{TRANSFER}' id='{self.its['id']}' domain='{self.domain}'"

    def open(self):
        return (f"<open {self._key()}><envelope size='{self.its['size']}' expires='{self.its['expires']}'>"
                f"<from addr='{self.sender}'/><rcpt n='0' addr='{self.recipient}'/></envelope>"
                f"<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>{self.its['hash']}</hash></open>")

    def chunk(self, offset=0, octets=None, size=None):
        octets = self.content[offset:] if octets is None else octets
        return (f"<chunk {self._key()} off='{offset}' size='{len(octets) if size is None else size}' enc='none'>"
                f"{text_of(octets)}</chunk>")

    def commit(self):
        return f"<commit {self._key()}/>"

    def status(self):
        return f"<status {self._key()}/>"

    def abort(self):
        return f"<abort {self._key()} expires='{self.its['expires']}'/>"


def state_in(answer):
    """What the one verdict of an IQ's answer says of the transfer."""
    assert answer.get("type") == "result", answer.attrib
    return answer.find(f".//{{{TRANSFER}}}verdict").get("state")
