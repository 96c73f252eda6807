"""What is named has to be there, on small trees of their own."""
import unittest

from names import check

TREE = {
    "CMakePresets.json": '{"configurePresets": [{"name": "asan"}]}',
    "run": "case $1 in\nbuild)\n    ;;\nhelp | -h)\nesac\n",
    "queue/sqlite/store/store.hpp": "class Store;\n",
    "tests/mutants/queue.txt": "",
    "schema/migrations/001-queue.sql": "CREATE TABLE message (id);\n",
}


def missing(path, text):
    """What is named there and is not there."""
    return [fault.split(": names ", 1)[1].removesuffix(", which is not there") for fault in check({**TREE, path: text})[0]]


class Paths(unittest.TestCase):
    def test_in_a_document(self):
        self.assertEqual([], missing("docs/a.md", "`queue/sqlite/store/store`, queue/sqlite/store/store.hpp, (`queue/`), tests/mutants. /etc/queue/x, other/x"))
        self.assertEqual(["queue/gone", "queue/gone.hpp", "tests/mutants/x"],
                         missing("docs/a.md", "`queue/gone`, queue/gone.hpp (tests/mutants/x)."))
        self.assertEqual(["a.md:2: names queue/gone, which is not there"], check({**TREE, "a.md": "\n`queue/gone`"})[0])

    def test_in_a_comment(self):
        self.assertEqual(["queue/gone"], missing("app/a.hpp", '#include "queue/not.hpp"\nint a;  // queue/gone: b\n"queue/not";\n'))
        self.assertEqual(["queue/gone"], missing("tests/a.py", 'x = "queue/not"\n# queue/gone\n'))

    def test_with_something_for_anything(self):
        self.assertEqual([], missing("docs/a.md", "tests/mutants/ROOM.txt, schema/migrations/NNN-*.sql, queue/*.hpp"))
        self.assertEqual(["tests/mutants/ROOM.md", "queue/*.cpp"], missing("docs/a.md", "tests/mutants/ROOM.md, queue/*.cpp"))

    def test_what_was_may_be_named(self):
        self.assertEqual([], missing("CHANGELOG.md", "`queue/gone`"))

    def test_a_link(self):
        self.assertEqual([], missing("docs/a.md", "[a](../queue/sqlite/store/store.hpp#x), [b](https://a.test/queue/x), [c](../queue)"))
        self.assertEqual(["../queue/gone.hpp"], missing("docs/a.md", "[a](../queue/gone.hpp)"))


class Words(unittest.TestCase):
    def test_presets_and_commands(self):
        self.assertEqual([], missing("docs/a.md", "cmake --preset asan, the preset `asan`, ./run build, ./run help"))
        self.assertEqual(["preset chaos", "preset fast", "./run chaos"],
                         missing("app/a.hpp", "// the preset `chaos`, --preset fast, ./run chaos"))

    def test_words_in_backticks(self):
        self.assertEqual([], missing("README.md", "`Store`, `message`, `store`, `FILE`, and gone"))
        self.assertEqual(["open_store", "gone"], missing("ARCHITECTURE.md", "`Store::open_store` `message gone`"))
        self.assertEqual([], missing("docs/a.md", "`gone`"))


if __name__ == "__main__":
    unittest.main()
