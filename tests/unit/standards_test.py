"""What makes docs/standards.md, on small trees of its own."""
import pathlib
import re
import tempfile
import unittest

from standards import check, source_files

TITLES = """# A comment.
RFC 5321 Simple Mail Transfer Protocol
  4.5.2 Transparency | dots are stuffed
  4.5.3.1.10 Too Many Recipients Code

XEP-0114 Jabber Component Protocol
  3 Protocol Flow | the proof
"""
USES_ALL = {"mail/all.hpp": "// RFC 5321 4.5.2, RFC 5321 4.5.3.1.10, XEP-0114 3.\n"}


def faults(files, titles=TITLES):
    return check({**USES_ALL, **files}, titles)[0]


def row(files, section, titles=TITLES):
    """The cells of a section's line in the document, without its links."""
    made = check({**USES_ALL, **files}, titles)[1]
    line = next(line for line in made.splitlines() if line.startswith(f"| [{section}]") or line.startswith(f"| {section} "))
    return [cell.strip() for cell in re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", line).split("|")[1:-1]]


class References(unittest.TestCase):
    def test_where_and_by_which_test(self):
        self.assertEqual([], faults({}))
        self.assertEqual(
            ["4.5.2 Transparency; MUST: dots are stuffed", "a/x.cpp<br>mail/all.hpp",
             "tests/unit/x_test.cpp: “dots”<br>tests/z.py: “test_dots”"],
            row({"a/x.cpp": "int a;  // RFC 5321 4.5.2: dots\n",
                 "tests/unit/x_test.cpp": '// RFC 5321 4.5.2.\nTEST_CASE("dots") {\n}\n',
                 "tests/z.py": '# RFC 5321 4.5.2.\ndef test_dots():\n    pass\n'}, "4.5.2"))

    def test_the_end_of_a_line_tears_none(self):
        for text in ("// as RFC\n// 5321 4.5.2 has it", "/// RFC 5321\n    /// 4.5.2.", "# RFC 5321\n# 4.5.2", "-- RFC\n-- 5321 4.5.2"):
            self.assertEqual("a/x.cpp<br>mail/all.hpp", row({"a/x.cpp": text}, "4.5.2")[1], text)

    def test_a_standard_as_a_whole(self):
        for text in ("// RFC 5321's words", "// RFC 5321: see", "// RFC 5321", "// RFC 5321 4yz", "// (RFC 5321)"):
            self.assertEqual([], faults({"a/x.cpp": text}), text)
            self.assertEqual(["as a whole", "a/x.cpp", ""], row({"a/x.cpp": text}, "as a whole"))

    def test_no_other_form(self):
        for text in ("RFC 5321 section 4.5.2", "section 4.5.2 of RFC 5321", "RFC 5321, section\n// 4.5.2", "RFC5321", "RFC-5321",
                     "XEP 0114", "sections 3"):
            found = faults({"a/x.cpp": f"\n// {text}"})
            self.assertEqual(1, len(found), text)
            self.assertTrue(found[0].startswith("a/x.cpp:2: write `RFC 5321 4.5.3.1.10`"), found)

    def test_only_what_is_known(self):
        self.assertEqual(["a/x.cpp:2: docs/standards.txt has no RFC 5321 4.5.3"], faults({"a/x.cpp": "\n// RFC 5321 4.5.3."}))
        self.assertEqual(["a/x.cpp:1: docs/standards.txt has no RFC 1"], faults({"a/x.cpp": "// RFC 1"}))
        self.assertEqual(["a/x.cpp:1: docs/standards.txt has no XEP-0114 3.1"], faults({"a/x.cpp": "// XEP-0114 3.1"}))


class Tests(unittest.TestCase):
    def names(self, path, text):
        cell = row({path: text}, "4.5.2")[2]
        return re.findall("“(.*?)”", cell)

    def test_a_comment_belongs_to_the_test_that_it_stands_in_or_above(self):
        text = '''// RFC 5321 4.5.2 is what this file is about.
// FIRST
TEST_CASE("one") {
    // SECOND
}

// THIRD
void helper() {}

// FOURTH
// and more
TEST_CASE_METHOD(Fixture, "two, "
                          "with \\"words\\"") {
}
'''
        self.assertEqual([], self.names("tests/a.cpp", text.replace("FIRST\n", "FIRST\n\n")))
        for place, name in (("FIRST", "one"), ("SECOND", "one"), ("FOURTH", 'two, with "words"')):
            self.assertIn(name, self.names("tests/a.cpp", text.replace(place, "RFC 5321 4.5.2.")))
        self.assertEqual(["one"], self.names("tests/a.cpp", text.replace("THIRD", "RFC 5321 4.5.2.")))

    def test_so_it_is_in_python(self):
        text = '''"""FIRST"""

# SECOND
@decorated
def test_one():
    """THIRD"""

TABLE = "FOURTH"

class Some:
    def test_two(self):
        pass  # FIFTH

    # SIXTH
'''
        for place, names in (("FIRST", []), ("SECOND", ["test_one"]), ("THIRD", ["test_one"]), ("FOURTH", []),
                             ("FIFTH", ["test_two"]), ("SIXTH", [])):
            self.assertEqual(names, self.names("tests/a.py", text.replace(place, "RFC 5321 4.5.2.")), place)

    def test_the_name_of_a_test_may_say_it(self):
        self.assertEqual(["dots (RFC 5321 4.5.2)"], self.names("tests/a.cpp", 'TEST_CASE("dots (RFC 5321 4.5.2)") {\n}\n'))


class Musts(unittest.TestCase):
    def test_those_without_a_test_are_listed(self):
        made = check({"tests/a.cpp": "// RFC 5321 4.5.2, RFC 5321 4.5.3.1.10."}, TITLES)[1]
        self.assertIn("2 standards; 2 sections are a MUST for us, and 1 of them are named by no test:\n\n- XEP-0114 [3]", made)
        self.assertIn("the proof (named nowhere)\n", made)
        self.assertNotIn("(named nowhere)", check(USES_ALL, TITLES)[1])

    def test_what_nothing_names_has_to_go(self):
        self.assertEqual(["docs/standards.txt: nothing names RFC 5321 4.5.3.1.10"], check({}, TITLES)[0])
        self.assertEqual(["docs/standards.txt: nothing names RFC 1"], faults({}, TITLES + "RFC 1 Host Software\n"))

    def test_its_lines_have_a_form(self):
        for line in ("RFC5321 x", "RFC 5321 again", "  3 Again", "  4.5. x", "  x", "  4 | no title"):
            self.assertEqual(["docs/standards.txt:8: twice, or no line of its form"], faults({}, TITLES + line + "\n"), line)


class Files(unittest.TestCase):
    def test_sources_are_found_wherever_they_are(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path in ("a/b/c/x.cpp", "a/x.md", "build/x.cpp", "build-asan/x.cpp", ".git/x.py", "docs/x.py", "run",
                         "tests/unit/standards.py", "schema/x.xsd"):
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text("", encoding="utf-8")
            self.assertEqual(["a/b/c/x.cpp", "schema/x.xsd"], [path for path, _ in source_files(root)])


if __name__ == "__main__":
    unittest.main()
