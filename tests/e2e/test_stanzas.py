"""What goes over the wire is what schema/mail-transfer.xsd says."""

import pathlib
from xml.etree import ElementTree

from lxml import etree

from component import TRANSFER, Component
from twodomains import smtp

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "schema/mail-transfer.xsd"


def assert_valid(element):
    etree.XMLSchema(etree.parse(str(SCHEMA))).assertValid(etree.fromstring(ElementTree.tostring(element)))


def test_a_transfer_is_valid(a, b, alice, bob, new_letter, down):
    down(b.packetboat)
    letter = new_letter(more_header="X-Wide: " + "w" * 500 + "\n")
    with Component(b, "mail.b.test", domains=["b.test"]) as receiver:
        with smtp.Session(a.address, 2424, greeting="LHLO") as session:
            session.send(alice.address, [bob.address, "brenda@b.test"], letter.content,
                         options=["RET=HDRS", "ENVID=QQ1"], recipient_options=["NOTIFY=FAILURE,DELAY"])
        stanza = receiver.receives("set")
        assert_valid(stanza.find(f"{{{TRANSFER}}}transfers"))
        envelope = stanza.find(f".//{{{TRANSFER}}}envelope")
        assert [rcpt.get("addr") for rcpt in envelope.iter(f"{{{TRANSFER}}}rcpt")] == [bob.address, "brenda@b.test"]
        transfer = stanza.find(f".//{{{TRANSFER}}}transfer")
        receiver.answers(stanza, f"<verdicts xmlns='{TRANSFER}'><verdict id='{transfer.get('id')}' domain='a.test' "
                                 "state='done' queue-id='X1'><rcpt n='0' code='250' status='2.1.5'/>"
                                 "<rcpt n='1' code='550' status='5.1.1'>No such user here</rcpt></verdict></verdicts>")
        report = alice.receives_report_on(letter)
    assert list(report.recipients) == ["brenda@b.test"]
    assert "No such user here" in report.recipients["brenda@b.test"]["Diagnostic-Code"]
