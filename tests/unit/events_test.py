"""What the log has and the document has not is found, and the other way round, on small sources of their own."""
import unittest

from events import check, events_of

LOG = """
Line about(std::string_view event, QueueId id) {
    Line line(event);
    line.with("id", id.to_text());
    return line;
}

void came(QueueId id, bool late) {
    Line(late ? "late" : "in-time").with("id", id).info();
}

void went(QueueId id, const Why& why) {
    about("went", id)
        .with("why",
              why)
        .warning();
}

// Line("not-one").info();
void mended(int lost) {
    Line line("mended");
    if (lost > 0) line.with("lost", lost);
    line.error();
    Line("piece").with("what", lost).debug();
}

void promise(const char* event, std::string_view domain) {
    Line line(event);
    line.with("domain", domain).info();
}
"""
CALLER = 'const char* const event = first ? "promise-read"\n : counts ? "promise-counts" : nullptr;\n'
FILES = {"queue/log.cpp": LOG, "app/daemon/promises.cpp": CALLER}
DOCUMENT = """
| event | level | fields | what it means | what to do |
| --- | --- | --- | --- | --- |
| `late` | info | `id` | a | b |
| `in-time` | info | `id` | a | b |
| `went` | warning | `id` `why` | a | b |
| `mended` | error | `lost` | a | b |
| `piece` | debug | `what` | a | b |
| `promise-read` | info | `domain` | a | b |
| `promise-counts` | info | `domain` | a | b |
"""


def faults(change=("", ""), files=FILES):
    return check(files, DOCUMENT.replace(*change))[0]


class Events(unittest.TestCase):
    def test_all_that_is_written_is_found(self):
        events, wrong = events_of(FILES)
        self.assertEqual([], wrong)
        self.assertEqual({"late": ("info", ["id"]), "in-time": ("info", ["id"]), "went": ("warning", ["id", "why"]),
                          "mended": ("error", ["lost"]), "piece": ("debug", ["what"]),
                          "promise-read": ("info", ["domain"]), "promise-counts": ("info", ["domain"])},
                         {name: (event.level, event.fields) for name, event in events.items()})
        self.assertEqual([], faults())

    def test_what_is_missing_or_too_much_in_the_document(self):
        self.assertEqual(["went: is not in docs/events.md"], faults(("| `went` | warning | `id` `why` | a | b |\n", "")))
        self.assertEqual(["gone: no source has this event", "mended: is not in docs/events.md"],
                         sorted(faults(("`mended`", "`gone`"))))
        self.assertEqual(["late: is listed twice"], faults(("| `in-time`", "| `late` | info | `id` | a | b |\n| `in-time`")))

    def test_another_level_and_other_fields(self):
        self.assertEqual(["mended: is warning in docs/events.md, and error in the sources"],
                         faults(("| `mended` | error", "| `mended` | warning")))
        self.assertEqual(["went: the field why is not in the document"], faults((" `why`", "")))
        self.assertEqual(["piece: the field size is only in the document"], faults(("`what`", "`what` `size`")))

    def test_a_row_that_says_nothing(self):
        self.assertEqual(["mended: says nothing of what it means, or what to do"], faults(("`lost` | a | b", "`lost` | a |  ")))

    def test_a_line_that_is_written_elsewhere(self):
        self.assertEqual(["app/x.cpp: uses Line, which is for a room's log.cpp"],
                         faults(files={**FILES, "app/x.cpp": 'base::log::Line("x").info();\n'}))

    def test_an_event_of_two_levels(self):
        twice = {**FILES, "app/log.cpp": 'void a() {\n    Line("late").with("by", 1).error();\n}\n'}
        self.assertEqual(["late: has two levels, info and error", "late: the field by is not in the document"], faults(files=twice))
