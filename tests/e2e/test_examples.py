"""The example configurations do what their comments say."""

import pathlib
import subprocess
import sys

import pytest

from twodomains import smtp


def test_the_port_for_delivery_takes_no_mail_for_others_and_none_for_unknown_users(b, carol, letter):
    with pytest.raises(smtp.Refused, match="^554 5.7.1"):
        smtp.send(b.address, "alice@a.test", [carol.address], letter.content, port=2526)
    with pytest.raises(smtp.Refused, match="^550 5.1.1"):
        smtp.send(b.address, "alice@a.test", ["nobody@b.test"], letter.content, port=2526)


def test_mail_on_the_port_for_handing_back_goes_by_smtp_whatever_the_route_says(a, alice, bob, letter):
    smtp.send(a.address, alice.address, [bob.address], letter.content, port=2527)
    assert bob.receives(letter).transport() == "smtp"


def test_postfix_finds_no_mistake_in_them(a):
    checked = a.host.command("postfix", "check", text=True)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    unused = a.host.command("postconf", "-n", text=True).stderr
    assert unused == ""


def test_prosody_finds_no_mistake_in_them(b):
    checked = b.host.command("prosodyctl", "check", "config", user="prosody", text=True)
    assert "Unknown" not in checked.stdout and "rror" not in checked.stdout, checked.stdout


def test_they_stand_beside_debian_s_own_configuration(b, d):
    """Nothing of it is left out but what the ejabberd example says."""
    ours = b.host.path("/etc/prosody/prosody.cfg.lua").read_text()
    assert ours == pathlib.Path("/etc/prosody/prosody.cfg.lua").read_text() and 'VirtualHost "localhost"' in ours
    gone = d.xmpp.lines_to_remove()
    shipped = pathlib.Path("/usr/share/ejabberd/ejabberd.yml.example").read_text().splitlines()
    ours = d.host.path("/etc/ejabberd/ejabberd.yml").read_text().replace(d.address, "::").splitlines()
    assert sorted(line.strip() for line in set(shipped) - set(ours)) == sorted(gone)


def demo(*arguments):
    return subprocess.run([sys.executable, "-m", "twodomains.demo", *map(str, arguments)], text=True,
                          capture_output=True, timeout=120)


@pytest.mark.usefixtures("world")  # it would be started all the same: a run beside it must not collide
def test_the_demo_says_that_all_arrived_identical(tmp_path):
    own = tmp_path / "own.eml"
    own.write_bytes(b"Received: from x by y via XMPP with MAILXFER id 1; long ago\nSubject: mine\r\n\nno line end")
    shown = demo("--exit", own, own)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert shown.stdout.splitlines()[-1] == "2 of 2 arrived identical"
    assert shown.stdout.count("transport xmpp") == 2


def test_the_demo_refuses_a_missing_file_before_it_starts_anything(tmp_path):
    for wrong in (tmp_path / "missing.eml", tmp_path):
        shown = demo("--exit", wrong)
        assert shown.returncode == 2
        assert len(shown.stderr.splitlines()) == 1
        assert str(wrong) in shown.stderr
