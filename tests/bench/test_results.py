"""A part of the benchmark that fails takes no other with it, and is not forgotten."""

import json

from results import Results


def test_a_part_that_fails_is_reported_and_the_others_go_on(tmp_path, capsys):
    results = Results()

    def breaks():
        results.note("first", "prosody", 1, "MiB")
        raise RuntimeError("prosody: no answer")
    results.attempt("one", breaks)
    results.attempt("two", lambda: results.compare("second", "prosody", [3.0], [1.5], "messages/s"))
    assert results.failed == {"one": "RuntimeError: prosody: no answer"}
    assert "no answer" in capsys.readouterr().err
    table = results.table()
    assert "FAILED one: RuntimeError: prosody: no answer" in table and "second" in table
    results.write(tmp_path / "rows.json")
    written = json.loads((tmp_path / "rows.json").read_text())
    assert [row["what"] for row in written["rows"]] == ["first", "second"] and written["failed"] == results.failed
