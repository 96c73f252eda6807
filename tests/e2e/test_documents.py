"""The program's commands in the blocks of README.md and docs/*.md that end no mail, at a live site, with the status that is documented.

tests/docs has all else that stands in blocks.
"""

import pathlib
import re
import sys

import pytest
from twodomains.waiting import until

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/docs"))
import commands  # noqa: E402  (the path comes first)
from people import Letter  # noqa: E402

# What ends or keeps mail, or changes the machine that the tests run on, and the file of tests that does it.
CHANGES = {"queue hold": "e2e/test_operator", "queue release": "e2e/test_operator", "queue cancel": "e2e/test_operator",
           "queue bounce": "e2e/test_operator", "complaint": "e2e/test_complaints", "restore": "e2e/test_backup", "off": "e2e/test_off",
           "retire": "e2e/test_lane_change", "setup": "package/test_setup"}
# With a status of its own.
STATUS = {"promise show": 1}  # nobody here has promised


def said():
    """{command: where} of the documents, each as words; a name of two words is `queue list`."""
    return {tuple(words): document for document, text in commands.documents().items()
            for each in commands.packetboat_lines(text) for words in commands.said(each)}


def name_of(words):
    """The words that say which command it is."""
    return " ".join(words[:2]) if re.fullmatch("[a-z]+", " ".join(words[1:2])) else words[0]


OTHERS = sorted(words for words in said() if name_of(words) not in CHANGES)


def test_what_is_left_out_has_tests_of_its_own():
    assert {name_of(words) for words in said()} >= CHANGES.keys()
    for name, file in CHANGES.items():
        assert f'"{name.split()[-1]}"' in (ROOT / f"tests/{file}.py").read_text(), name


@pytest.fixture(scope="module")
def known(alice, bob):
    """A letter from a.test to b.test that has arrived; and there was one in the other direction."""
    there, back = Letter("<documents.1@a.test>"), Letter("<documents.2@b.test>")
    bob.sends(back, alice)
    alice.receives(back)
    alice.sends(there, bob)
    bob.receives(there)
    return there


@pytest.mark.parametrize("words", OTHERS, ids=" ".join)
def test_a_command_works(words, a, alice, bob, known, new_letter, down):
    name = name_of(words)
    if name.startswith("queue"):
        letter = new_letter()
        up = down(bob.site.packetboat)
        alice.sends(letter, bob)
        waiting = until(lambda: a.packetboat.queue(), "the mail that waits")
        number = waiting[0]["id"]
    else:
        number = known.id
    values = {"ID": number, "NAME": number, "DOMAIN": "b.test", "b.example": "b.test", "second.example": "b2.test", "bob@example.org": "bob@b.test"}
    put = [values.get(word, word) for word in words]
    if name == "backup":
        put[1] = str(a.packetboat.state / f"documents-{len(words[1])}")
    done = a.packetboat.run(*put)
    if name == "queue retry":
        # What is being delivered just then is passed over, and that is a 1.
        done = until(lambda: (again := a.packetboat.run(*put)).returncode == 0 and again, "all of it to be tried again")
    assert done.returncode == STATUS.get(name, 0), done.stdout + done.stderr
    assert done.stdout or done.stderr or name == "routes list"
    if name.startswith("queue"):
        if number in put:
            assert number in done.stdout
        up()
        bob.receives(letter)
