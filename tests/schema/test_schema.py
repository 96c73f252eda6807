"""The protocol document, the schema and the program say the same.

Every example of xep/xep-mail-transfer.xml, and every stanza that the unit tests wrote to
$PACKETBOAT_STANZA_DIR (one stanza in each *.xml file), is checked against
schema/mail-transfer.xsd and against what XML Schema cannot express.

    PACKETBOAT_STANZA_DIR=build/stanzas python3 -m pytest tests/schema
"""

import base64
import binascii
import copy
import hashlib
import os
import re
import zlib
from pathlib import Path

import pytest
from lxml import etree

ROOT = Path(__file__).resolve().parents[2]
XEP = ROOT / "xep" / "xep-mail-transfer.xml"
MT = "urn:xmpp:mail-transfer:0"
NS = {
    "mt": MT,
    "h": "urn:xmpp:hashes:2",
    "x": "jabber:x:data",
    "info": "http://jabber.org/protocol/disco#info",
    "s": "urn:ietf:params:xml:ns:xmpp-stanzas",
}
SERVER_INFO = "http://jabber.org/network/serverinfo"
# The fewest that the document may have: an extraction that misses some must show.
LEAST_EXAMPLES = 15
LEAST_PAYLOADS = 8
# In octets; the schema counts characters.
OCTET_BOUNDS = {"addr": 1000, "orcpt": 500}
TEXT_OCTETS = 512

# No network, no entities: what a stream must not contain, a test does not accept either.
PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
SCHEMA = etree.XMLSchema(etree.parse(str(ROOT / "schema" / "mail-transfer.xsd")))


def examples():
    """(caption, text) of every example of the document."""
    document = etree.parse(str(XEP))
    return [(e.get("caption"), e.text) for e in document.iter("example")]


def stanza_files():
    folder = os.environ.get("PACKETBOAT_STANZA_DIR")
    return sorted(Path(folder).glob("*.xml")) if folder else []


def parse(text):
    data = text if isinstance(text, bytes) else text.strip().encode()
    return etree.fromstring(data, PARSER)


def payloads(stanza):
    """Our elements that stand directly in the stanza or in its error."""
    return stanza.xpath("./mt:* | ./*[local-name()='error']/mt:*", namespaces=NS)


def inflate(data, size):
    """A raw deflate stream of exactly `size` octets and nothing behind it."""
    decoder = zlib.decompressobj(-15)
    out = decoder.decompress(data, size + 1)
    assert decoder.eof, "the deflate stream is not complete, or inflates beyond its stated size"
    assert not decoder.unused_data, "something stands behind the deflate stream"
    return out


def check_transfers(element):
    block = element.find("mt:block", NS)
    text = block.text or ""
    assert not any(c.isspace() for c in text), "white space in the base64"
    data = base64.b64decode(text, validate=True)
    size = int(block.get("size"))
    decoded = inflate(data, size) if block.get("enc") == "deflate" else data
    assert len(decoded) == size, "the block's size"
    end = 0
    for transfer in element.iterfind("mt:transfer", NS):
        content = transfer.find("mt:content", NS)
        offset, length = int(content.get("off")), int(content.get("size"))
        assert offset == end, "the slices follow one another"
        end = offset + length
        assert int(transfer.find("mt:envelope", NS).get("size")) == length
        digest = hashlib.sha256(decoded[offset:end]).digest()
        assert base64.b64decode(transfer.find("h:hash", NS).text) == digest, "the hash"
        recipients = transfer.findall("mt:envelope/mt:rcpt", NS)
        addresses = transfer.xpath(".//@addr")
        if any(not a.isascii() for a in addresses):
            assert transfer.find("mt:envelope", NS).get("smtputf8") == "true"
        for node in recipients + transfer.findall("mt:envelope/mt:from", NS):
            for name, bound in OCTET_BOUNDS.items():
                assert len(node.get(name, "").encode()) <= bound
    assert end == size, "the slices cover the block"


def check_verdicts(element):
    for verdict in element.iterfind("mt:verdict", NS):
        state, count = verdict.get("state"), len(verdict)
        assert count > 0 if state == "done" else state == "open" or count == 0, "who is decided on"
        is_open = state == "open"
        assert (verdict.get("offset") is not None) == (verdict.get("window") is not None) == is_open
    for rcpt in element.iterfind("mt:verdict/mt:rcpt", NS):
        assert rcpt.get("code")[0] == rcpt.get("status")[0], "classes of code and status"
        assert len((rcpt.text or "").encode()) <= TEXT_OCTETS


def check_chunk(element):
    data = base64.b64decode(element.text or "", validate=True)
    size = int(element.get("size"))
    decoded = inflate(data, size) if element.get("enc") == "deflate" else data
    assert len(decoded) == size > 0, "the chunk's size"


def check_report(element):
    classes = {"failed": "5", "delayed": "4"}
    for rcpt in element.iterfind("mt:rcpt", NS):
        expected = classes.get(rcpt.get("action"), "2")
        assert rcpt.get("code")[0] == rcpt.get("status")[0] == expected, "class of the action"
        assert len((rcpt.text or "").encode()) <= TEXT_OCTETS


# Payload -> type of its stanza, and the defined condition beside it (RFC 6120 8.3).
PLACE = {
    "transfers": ("set", None),
    "open": ("set", None),
    "chunk": ("set", None),
    "commit": ("set", None),
    "abort": ("set", None),
    "report": ("set", None),
    "complaint": ("set", None),
    "status": ("get", None),
    "mirror": ("get", None),
    "mirrored": ("result", None),
    "ack": ("result", None),
    "verdicts": ("result", None),
    "busy": ("error", "resource-constraint"),
    "domain-not-authorized": ("error", "forbidden"),
    "id-reuse": ("error", "conflict"),
    "malformed": ("error", "bad-request"),
    "unknown-transfer": ("error", "item-not-found"),
    "bad-offset": ("error", "unexpected-request"),
}


def check_stanza(stanza):
    """Everything that holds for a stanza with payloads of ours; returns how many it has."""
    ours = payloads(stanza)
    nested = stanza.xpath("count(.//mt:*[not(ancestor::mt:*)])", namespaces=NS)
    assert nested == len(ours), "an element of ours stands where none belongs"
    for element in ours:
        alone = etree.fromstring(etree.tostring(copy.deepcopy(element), with_tail=False), PARSER)
        SCHEMA.assertValid(alone)
        name = etree.QName(element).localname
        kind, condition = PLACE[name]
        assert etree.QName(stanza).localname == "iq"
        assert stanza.get("type") == kind
        assert stanza.get("id"), "an IQ has an id"
        # Whoever asks gets the error, even who may not.
        for address in [stanza.get("from")] + ([] if kind == "error" else [stanza.get("to")]):
            assert address and "@" not in address and "/" not in address, "bare domainparts"
        if condition:
            assert stanza.find(f".//s:{condition}", NS) is not None
        if name == "transfers":
            check_transfers(element)
        elif name == "verdicts":
            check_verdicts(element)
        elif name == "chunk":
            check_chunk(element)
        elif name == "report":
            check_report(element)
    return len(ours)


def form(stanza, form_type):
    """Field -> values of the form of that FORM_TYPE, or None."""
    for x in stanza.iterfind(".//x:x", NS):
        fields = {
            f.get("var"): [v.text or "" for v in f.iterfind("x:value", NS)]
            for f in x.iterfind("x:field", NS)
        }
        if fields.get("FORM_TYPE") == [form_type]:
            assert x.get("type") == "result"
            hidden = x.find("x:field[@var='FORM_TYPE']", NS)
            assert hidden.get("type") == "hidden"
            return fields
    return None


NUMBERS = ["max-stanza", "max-size", "max-recipients", "max-batch", "window", "retention"]


def check_capability(stanza):
    fields = form(stanza, MT)
    assert fields is not None, "the capability form is missing"
    # A promise names domains of the form, and a date: both or neither.
    promise = {"promise", "promise-until"} & set(fields)
    assert len(promise) != 1
    assert set(fields) - promise == {"FORM_TYPE", "domains", "extensions", *NUMBERS}
    if promise:
        assert fields["promise"] and set(fields["promise"]) <= set(fields["domains"])
        assert len(fields["promise"]) <= 100
        until, = fields["promise-until"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", until)
    for name in NUMBERS:
        assert len(fields[name]) == 1 and fields[name][0].isdecimal() and int(fields[name][0]) > 0
    assert set(fields["extensions"]) <= {
        "8bitmime",
        "smtputf8",
        "dsn",
        "requiretls",
        "report",
        "complaint",
        "mirror",
    }
    assert all(d and d == d.lower() and d.isascii() for d in fields["domains"])
    identities = stanza.findall(".//info:identity", NS)
    assert ("gateway", "smtp") in [(i.get("category"), i.get("type")) for i in identities]


def announces_us(stanza):
    return bool(stanza.xpath(".//info:feature[@var=$ns]", namespaces=NS, ns=MT))


# ------------------------------------------------------------------ the document's examples

EXAMPLES = examples()


def test_the_document_has_its_examples():
    assert len(EXAMPLES) >= LEAST_EXAMPLES
    assert sum(len(payloads(parse(text))) for _, text in EXAMPLES) >= LEAST_PAYLOADS
    assert all(caption for caption, _ in EXAMPLES)


@pytest.mark.parametrize("text", [pytest.param(t, id=c) for c, t in EXAMPLES])
def test_example(text):
    stanza = parse(text)
    assert etree.QName(stanza).localname in ("iq", "message", "presence")
    check_stanza(stanza)
    if announces_us(stanza):
        check_capability(stanza)


def test_examples_show_every_payload():
    shown = {etree.QName(p).localname for _, t in EXAMPLES for p in payloads(parse(t))}
    assert shown == set(PLACE)


def test_examples_show_both_forms():
    stanzas = [parse(text) for _, text in EXAMPLES]
    assert any(announces_us(s) for s in stanzas)
    info = [f for f in (form(s, SERVER_INFO) for s in stanzas) if f]
    assert info and all(f["mail-transfer-addresses"] for f in info)


def test_every_answer_in_the_examples_answers_a_request():
    """Each answer's key is that of what was asked, and its recipients are those of the transfer."""
    asked, recipients = set(), {}
    stanzas = [parse(text) for _, text in EXAMPLES]
    for stanza in stanzas:
        for t in stanza.xpath(".//mt:*[@id and not(self::mt:verdict or self::mt:ack)]", namespaces=NS):
            asked.add((stanza.get("id"), t.get("domain"), t.get("id")))
            numbers = {r.get("n") for r in t.iterfind("mt:envelope/mt:rcpt", NS)}
            if numbers:
                recipients[t.get("domain"), t.get("id")] = numbers
    for stanza in stanzas:
        for v in stanza.xpath(".//mt:verdict | .//mt:ack", namespaces=NS):
            assert (stanza.get("id"), v.get("domain"), v.get("id")) in asked
            numbers = {r.get("n") for r in v.iterfind("mt:rcpt", NS)}
            if numbers:
                assert recipients[v.get("domain"), v.get("id")] == numbers


def test_the_chunks_of_the_example_are_its_content():
    stanzas = [parse(text) for _, text in EXAMPLES]
    opened = next(o for s in stanzas for o in s.iterfind("mt:open", NS))
    chunks = [c for s in stanzas for c in s.iterfind("mt:chunk", NS)]
    content = b""
    for chunk in chunks:
        assert int(chunk.get("off")) == len(content)
        content += inflate(base64.b64decode(chunk.text), int(chunk.get("size")))
    assert len(content) == int(opened.find("mt:envelope", NS).get("size"))
    digest = hashlib.sha256(content).digest()
    assert base64.b64decode(opened.find("h:hash", NS).text) == digest


def digest_of(transfer):
    """As the document has it: the SHA-256 of the values, each with its length before it."""
    envelope = transfer.find("mt:envelope", NS)
    values = ["packetboat digest 1", envelope.find("mt:from", NS).get("addr", ""), envelope.get("size"),
              "8" if envelope.get("body") == "8bitmime" else "7", *("1" if envelope.get(flag) == "true" else "0"
                                                                   for flag in ("smtputf8", "requiretls")),
              {"full": "1", "hdrs": "2"}.get(envelope.get("ret"), "0"), xtext(envelope.get("envid", "")),
              envelope.get("expires")]
    for rcpt in envelope.findall("mt:rcpt", NS):
        words = rcpt.get("notify", "").split()
        values += [rcpt.get("n"), rcpt.get("addr"),
                   " ".join(word for word in ("never", "success", "failure", "delay") if word in words),
                   xtext(rcpt.get("orcpt", ""))]
    octets = [value.encode() for value in values] + [base64.b64decode(transfer.find("h:hash", NS).text)]
    return base64.b64encode(hashlib.sha256(b"".join(b"%d:%s" % (len(each), each) for each in octets)).digest()).decode()


def xtext(value):
    return re.sub(r"\+([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), value)


def test_the_digest_in_the_examples_is_that_of_the_transfer():
    elements = [element for _, text in examples() for element in payloads(parse(text))]
    opened, = [element for element in elements if etree.QName(element).localname == "open"]
    asking = [element for element in elements if element.get("digest")]
    assert {etree.QName(element).localname for element in asking} == {"status", "abort"}
    for element in asking:
        assert element.get("id") == opened.get("id")
        assert element.get("digest") == digest_of(opened)


def test_the_document_can_be_rendered():
    page = etree.XSLT(etree.parse(str(ROOT / "xep" / "render.xsl")))(etree.parse(str(XEP)))
    assert len(page.findall(".//figure")) >= LEAST_EXAMPLES
    targets = {e.get("id") for e in page.iter() if e.get("id")}
    links = [a.get("href")[1:] for a in page.iter("a") if a.get("href", "").startswith("#")]
    assert links and set(links) <= targets


# ------------------------------------------------------------------ what must not pass


def first(name):
    for _, text in EXAMPLES:
        for payload in payloads(parse(text)):
            if etree.QName(payload).localname == name:
                return copy.deepcopy(payload)
    raise AssertionError(f"no example of {name}")


def node(tree, path):
    found = tree if path == "." else tree.find(path, NS)
    assert found is not None, path
    return found


def put(path, attribute, value):
    def change(tree):
        node(tree, path).set(attribute, value)

    return change


def drop(path, attribute):
    def change(tree):
        del node(tree, path).attrib[attribute]

    return change


def remove(path):
    def change(tree):
        found = node(tree, path)
        found.getparent().remove(found)

    return change


def repeat(path):
    def change(tree):
        found = node(tree, path)
        found.addnext(copy.deepcopy(found))

    return change


def text(path, value):
    def change(tree):
        node(tree, path).text = value

    return change


def child(path, name):
    def change(tree):
        etree.SubElement(node(tree, path), name)

    return change


TRANSFER, ENVELOPE = "mt:transfer", "mt:transfer/mt:envelope"
FROM, RCPT = ENVELOPE + "/mt:from", ENVELOPE + "/mt:rcpt"
HASH, CONTENT, BLOCK = "mt:transfer/h:hash", "mt:transfer/mt:content", "mt:block"
VERDICT, REPLY = "mt:verdict", "mt:verdict/mt:rcpt"

INVALID = [
    ("transfers", "no id", drop(TRANSFER, "id")),
    ("transfers", "short id", put(TRANSFER, "id", "0123456")),
    ("transfers", "long id", put(TRANSFER, "id", "0" * 65)),
    ("transfers", "upper-case id", put(TRANSFER, "id", "0123456789ABCDEF")),
    ("transfers", "no domain", drop(TRANSFER, "domain")),
    ("transfers", "domain as a U-label", put(TRANSFER, "domain", "bücher.test")),
    ("transfers", "domain in upper case", put(TRANSFER, "domain", "A.test")),
    ("transfers", "domain with a final dot", put(TRANSFER, "domain", "a.test.")),
    ("transfers", "domain as an address", put(TRANSFER, "domain", "alice@a.test")),
    ("transfers", "unknown attribute", put(TRANSFER, "priority", "1")),
    ("transfers", "the same key twice", repeat(TRANSFER)),
    ("transfers", "no transfer", remove(TRANSFER)),
    ("transfers", "no envelope", remove(ENVELOPE)),
    ("transfers", "two envelopes", repeat(ENVELOPE)),
    ("transfers", "no expires", drop(ENVELOPE, "expires")),
    ("transfers", "expires in local time", put(ENVELOPE, "expires", "2026-12-01T00:00:00+01:00")),
    ("transfers", "expires without zone", put(ENVELOPE, "expires", "2026-12-01T00:00:00")),
    ("transfers", "expires with fraction", put(ENVELOPE, "expires", "2026-12-01T00:00:00.5Z")),
    ("transfers", "expires on 30 February", put(ENVELOPE, "expires", "2026-02-30T00:00:00Z")),
    ("transfers", "no size", drop(ENVELOPE, "size")),
    ("transfers", "negative size", put(ENVELOPE, "size", "-1")),
    ("transfers", "signed size", put(ENVELOPE, "size", "+1")),
    ("transfers", "hexadecimal size", put(ENVELOPE, "size", "0x10")),
    ("transfers", "size of 2^64", put(ENVELOPE, "size", "18446744073709551616")),
    ("transfers", "unknown body", put(ENVELOPE, "body", "binarymime")),
    ("transfers", "body in upper case", put(ENVELOPE, "body", "8BITMIME")),
    ("transfers", "smtputf8 as a word", put(ENVELOPE, "smtputf8", "yes")),
    ("transfers", "unknown ret", put(ENVELOPE, "ret", "headers")),
    ("transfers", "empty envid", put(ENVELOPE, "envid", "")),
    ("transfers", "long envid", put(ENVELOPE, "envid", "x" * 101)),
    ("transfers", "envid that is not xtext", put(ENVELOPE, "envid", "a=b")),
    ("transfers", "envid with a bad escape", put(ENVELOPE, "envid", "a+2g")),
    ("transfers", "envid of UTF-8", put(ENVELOPE, "envid", "a+C3+A4b")),
    ("transfers", "envid with a control character", put(ENVELOPE, "envid", "a+0Ab")),
    ("transfers", "no from", remove(FROM)),
    ("transfers", "empty from", put(FROM, "addr", "")),
    ("transfers", "from without domain", put(FROM, "addr", "alice")),
    ("transfers", "from with a line end", put(FROM, "addr", "a\r\nRCPT TO:<b>@a.test")),
    ("transfers", "no rcpt", lambda t: [remove(RCPT)(t), remove(RCPT)(t)]),
    ("transfers", "rcpt without n", drop(RCPT, "n")),
    ("transfers", "the same n twice", repeat(RCPT)),
    ("transfers", "n too large", put(RCPT, "n", "65536")),
    ("transfers", "rcpt without addr", drop(RCPT, "addr")),
    ("transfers", "long addr", put(RCPT, "addr", "b" * 1000 + "@b.test")),
    ("transfers", "unknown notify", put(RCPT, "notify", "always")),
    ("transfers", "notify never with more", put(RCPT, "notify", "never success")),
    ("transfers", "notify twice the same", put(RCPT, "notify", "delay delay")),
    ("transfers", "empty notify", put(RCPT, "notify", "")),
    ("transfers", "orcpt without type", put(RCPT, "orcpt", "bob@b.test")),
    ("transfers", "orcpt that is not xtext", put(RCPT, "orcpt", "rfc822;bob smith@b.test")),
    ("transfers", "orcpt of UTF-8 in another type", put(RCPT, "orcpt", "rfc822;j+C3+BCrgen@b.test")),
    ("transfers", "orcpt beyond Unicode", put(RCPT, "orcpt", r"utf-8;\x{110000}@b.test")),
    ("transfers", "orcpt with a surrogate", put(RCPT, "orcpt", r"utf-8;\x{D800}@b.test")),
    ("transfers", "orcpt with a needless escape", put(RCPT, "orcpt", r"utf-8;\x{41}@b.test")),
    ("transfers", "orcpt with a bare backslash", put(RCPT, "orcpt", "utf-8;a\\b@b.test")),
    ("transfers", "long orcpt", put(RCPT, "orcpt", "rfc822;" + "b" * 500)),
    ("transfers", "no hash", remove(HASH)),
    ("transfers", "another hash", put(HASH, "algo", "sha-1")),
    ("transfers", "hash without algo", drop(HASH, "algo")),
    ("transfers", "short hash", text(HASH, "AAAA")),
    ("transfers", "no content", remove(CONTENT)),
    ("transfers", "content without off", drop(CONTENT, "off")),
    ("transfers", "content with text", text(CONTENT, "x")),
    ("transfers", "no block", remove(BLOCK)),
    ("transfers", "two blocks", repeat(BLOCK)),
    ("transfers", "unknown enc", put(BLOCK, "enc", "gzip")),
    ("transfers", "block without size", drop(BLOCK, "size")),
    ("transfers", "block that is no base64", text(BLOCK, "not base64!")),
    ("transfers", "unknown element", child(TRANSFER, f"{{{MT}}}priority")),
    ("transfers", "text beside elements", text(TRANSFER, "x")),
    ("verdicts", "no verdict", lambda t: [t.remove(v) for v in list(t)]),
    ("verdicts", "no id", drop(VERDICT, "id")),
    ("verdicts", "no state", drop(VERDICT, "state")),
    ("verdicts", "unknown state", put(VERDICT, "state", "lost")),
    ("verdicts", "queue-id with a space", put(VERDICT, "queue-id", "a b")),
    ("verdicts", "the same key twice", repeat(VERDICT)),
    ("verdicts", "the same n twice", repeat(REPLY)),
    ("verdicts", "code of three", put(REPLY, "code", "354")),
    ("verdicts", "code beyond RFC 5321", put(REPLY, "code", "571")),
    ("verdicts", "code of two digits", put(REPLY, "code", "25")),
    ("verdicts", "status of class 3", put(REPLY, "status", "3.0.0")),
    ("verdicts", "status of two numbers", put(REPLY, "status", "5.1")),
    ("verdicts", "status with four digits", put(REPLY, "status", "5.1.1000")),
    ("verdicts", "too long a text", text(REPLY, "x" * (TEXT_OCTETS + 1))),
    ("verdicts", "text with a line end", text(REPLY, "a\nb")),
    ("verdicts", "element in a text", child(REPLY, f"{{{MT}}}b")),
    ("busy", "no retry-after", drop(".", "retry-after")),
    ("busy", "retry-after of nothing", put(".", "retry-after", "0")),
    ("busy", "retry-after of a year", put(".", "retry-after", "31536000")),
    ("busy", "another cause", put(".", "cause", "lazy")),
    ("malformed", "text", text(".", "because")),
    ("id-reuse", "attribute", put(".", "id", "0123456789")),
    ("domain-not-authorized", "attribute", put(".", "domain", "a.test")),
    ("open", "no envelope", remove("mt:envelope")),
    ("open", "no hash", remove("h:hash")),
    ("open", "no id", drop(".", "id")),
    ("open", "the same n twice", repeat("mt:envelope/mt:rcpt")),
    ("open", "a slice", child(".", f"{{{MT}}}content")),
    ("chunk", "no off", drop(".", "off")),
    ("chunk", "no size", drop(".", "size")),
    ("chunk", "negative off", put(".", "off", "-1")),
    ("chunk", "unknown encoding", put(".", "enc", "gzip")),
    ("ack", "no offset", drop(".", "offset")),
    ("ack", "offset beyond 2^40", put(".", "offset", "1099511627777")),
    ("commit", "no domain", drop(".", "domain")),
    ("commit", "an element", child(".", f"{{{MT}}}rcpt")),
    ("status", "no id", drop(".", "id")),
    ("status", "a digest of another length", put(".", "digest", "OjKZ0dluFWy0vYyWr7bCorPdmgz7GRee3OD+PWvQ")),
    ("abort", "a digest in hexadecimal", put(".", "digest", 64 * "0")),
    ("abort", "no expires", drop(".", "expires")),
    ("abort", "expires in local time", put(".", "expires", "2026-12-01T00:00:00+01:00")),
    ("report", "no id", drop(".", "id")),
    ("report", "no seq", drop(".", "seq")),
    ("report", "a seq of 0", put(".", "seq", "0")),
    ("report", "nobody", lambda t: [t.remove(r) for r in list(t)]),
    ("report", "the same n twice", repeat("mt:rcpt")),
    ("report", "no action", drop("mt:rcpt", "action")),
    ("report", "an action that RFC 3464 lacks", put("mt:rcpt", "action", "lost")),
    ("report", "no time", drop("mt:rcpt", "time")),
    ("report", "a blank in the mta", put("mt:rcpt", "mta", "mx b")),
    ("report", "a final that is none", put("mt:rcpt", "final", "robert")),
    ("mirror", "no domain", lambda t: [t.remove(d) for d in list(t)]),
    ("mirror", "too many domains", lambda t: [etree.SubElement(t, f"{{{MT}}}domain", name=f"x{n}.test") for n in range(20)]),
    ("mirror", "a domain twice", repeat("mt:domain")),
    ("mirror", "a domain in capitals", put("mt:domain", "name", "A.test")),
    ("mirror", "a state", put("mt:domain", "state", "verified")),
    ("mirrored", "no assurance", drop(".", "assurance")),
    ("mirrored", "another assurance", put(".", "assurance", "strong")),
    ("mirrored", "time in whole seconds", put(".", "time", "2026-11-30T10:00:00Z")),
    ("mirrored", "time in local time", put(".", "time", "2026-11-30T11:00:00.125+01:00")),
    ("mirrored", "longer than ten minutes", put(".", "took", "600001")),
    ("mirrored", "another state", put("mt:domain", "state", "blocked")),
    ("mirrored", "a domain twice", repeat("mt:domain")),
    ("mirrored", "a class", put(".", "class", "good")),
    ("bad-offset", "no offset", drop(".", "offset")),
    ("unknown-transfer", "an attribute", put(".", "id", "0123456789")),
]


@pytest.mark.parametrize(
    "name, change", [pytest.param(n, c, id=f"{n}: {why}") for n, why, c in INVALID]
)
def test_schema_refuses(name, change):
    tree = first(name)
    assert SCHEMA.validate(tree), "valid before the change"
    change(tree)
    assert not SCHEMA.validate(tree)


VALID = [
    ("quoted local part", put(RCPT, "addr", '"bob @ home"@b.test')),
    ("address literal", put(RCPT, "addr", "bob@[192.0.2.1]")),
    ("domain of one label", put(TRANSFER, "domain", "localhost")),
    ("A-label", put(TRANSFER, "domain", "xn--bcher-kva.test")),
    ("empty message", put(CONTENT, "size", "0")),
    ("envid with an escape", put(ENVELOPE, "envid", "a+2Bb")),
    ("orcpt in UTF-8", put(RCPT, "orcpt", "utf-8;jürgen@b.test")),
    ("orcpt in RFC 6533's xtext", put(RCPT, "orcpt", r"utf-8;j\x{FC}\x{10FFFF}\x{2B}@b.test")),
    ("all three words", put(RCPT, "notify", "delay failure success")),
    ("longest id", put(TRANSFER, "id", "z" * 64)),
    ("smtputf8 as a digit", put(ENVELOPE, "smtputf8", "1")),
    ("requiretls", put(ENVELOPE, "requiretls", "true")),
]


@pytest.mark.parametrize("change", [pytest.param(c, id=why) for why, c in VALID])
def test_schema_takes(change):
    tree = first("transfers")
    change(tree)
    SCHEMA.assertValid(tree)


def test_schema_refuses_what_is_not_specified_yet():
    for name in "verify transfer".split():
        assert not SCHEMA.validate(etree.Element(f"{{{MT}}}{name}", nsmap={None: MT}))


UNTRUE = [
    ("another octet in the block", text(BLOCK, base64.b64encode(b"x").decode())),
    ("white space in the block", lambda t: text(BLOCK, "\n" + node(t, BLOCK).text)(t)),
    ("a larger block", put(BLOCK, "size", "100000")),
    ("a smaller block", put(BLOCK, "size", "10")),
    ("a slice that starts later", put(CONTENT, "off", "1")),
    ("a slice that is shorter", put(CONTENT, "size", "1")),
    ("another size in the envelope", put(ENVELOPE, "size", "1")),
    ("another hash", text(HASH, base64.b64encode(bytes(32)).decode())),
    ("zlib in place of raw deflate", text(BLOCK, base64.b64encode(zlib.compress(b"x")).decode())),
    ("a recipient that needs smtputf8", put(RCPT, "addr", "jürgen@b.test")),
]


@pytest.mark.parametrize("change", [pytest.param(c, id=why) for why, c in UNTRUE])
def test_checks_refuse(change):
    """The checks beyond the schema find what is wrong, so that a green run means something."""
    tree = first("transfers")
    check_transfers(tree)
    change(tree)
    with pytest.raises((AssertionError, binascii.Error, zlib.error)):
        check_transfers(tree)


# ------------------------------------------------------------------ what the program wrote


@pytest.mark.skipif(
    "PACKETBOAT_STANZA_DIR" not in os.environ,
    reason="PACKETBOAT_STANZA_DIR is not set: the unit tests' stanzas are not at hand",
)
class TestProgram:
    def test_there_are_stanzas_of_each_direction(self):
        files = stanza_files()
        assert files, "PACKETBOAT_STANZA_DIR holds no *.xml: the unit tests wrote no stanza"
        shown = {etree.QName(p).localname for f in files for p in payloads(parse(f.read_bytes()))}
        expected = "transfers verdicts open chunk ack commit status abort report complaint mirror mirrored"
        assert set(expected.split()) <= shown

    @pytest.mark.parametrize("file", [pytest.param(f, id=f.stem) for f in stanza_files()])
    def test_stanza(self, file):
        stanza = parse(file.read_bytes())
        check_stanza(stanza)
        if announces_us(stanza):
            check_capability(stanza)
