"""The configuration that is installed shows each key that packetboat.conf(5) knows, and what it shows is valid."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADING = re.compile(r"^(?:# )?\[([a-z0-9-]+)(?: [^\]]+)?\]$")
KEY = re.compile(r"^(?:# )?([a-z0-9-]+) = .")


def keys_of_manual():
    """{(section, key)}"""
    found, section = set(), None
    for line in (ROOT / "docs/man/packetboat.conf.5").read_text().splitlines():
        if heading := re.match(r"\.Ss \[([a-z0-9-]+)", line):
            section = heading[1]
        elif line.startswith(".Sh"):
            section = None
        elif section and (item := re.match(r"\.It Ic (.*)", line)):
            found |= {(section, key) for key in re.sub(r" Pq.*", "", item[1]).split(" , ")}
    # Of which the manual says just that.
    return found | {("sender", key) for section, key in found if section == "senders" and key != "exempt"}


def keys_of(text):
    found, section = set(), None
    for line in text.splitlines():
        if heading := HEADING.match(line):
            section = heading[1]
        elif key := KEY.match(line):
            found.add((section, key[1]))
    return found


def test_each_key_is_shown():
    manual = keys_of_manual()
    assert {("daemon", "log-format"), ("class", "all-bytes-per-hour"), ("intake", "tls-key")} <= manual
    shown = keys_of((ROOT / "examples/packetboat.conf").read_text())
    assert sorted(manual - shown) == []
    assert sorted(shown - manual) == []


def test_what_is_shown_can_be_used(unpacked, tmp_path):
    """With each key that is commented out, but those whose value names a file or is a secret that nobody may copy; and but
    [promise], which asks for more than that it is there."""
    lines = []
    text = (ROOT / "examples/packetboat.conf").read_text()
    for line in text.replace("# [promise]\n# domains = example.org\n# days = 7\n", "").splitlines():
        if re.match(r"# (secret-file|tls-[a-z]+|mark-token) = ", line):
            continue
        line = line.removeprefix("# ") if HEADING.match(line) or KEY.match(line) else line
        # The domain with a next hop of its own has to be one of ours.
        lines.append(re.sub(r"^domains = example\.org$", "domains = example.org lists.example.org", line))
    configuration = tmp_path / "packetboat.conf"
    configuration.write_text("\n".join(lines) + "\n")
    configuration.chmod(0o600)
    # It has read it when it looks for the queue.
    done = subprocess.run([unpacked / "usr/bin/packetboat", "--config", configuration, "--control-socket", tmp_path / "none",
                           "--state-directory", tmp_path, "queue", "verify"], capture_output=True, text=True)
    assert "there is no queue" in done.stderr
