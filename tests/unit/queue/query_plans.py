"""Reads the plan of each SQL statement of the program.

query_plans.py [--self-test] ROOT: takes every literal of ROOT's sources that is SQL, has SQLite explain it on a database of
today's schema with a few thousand messages in it, and fails on each that scans a table, or sorts what has no bound, unless
it stands below with its reason. No statement escapes: what query() takes is a literal (queue/sqlite/store/sql), and what is
given to SQLite's own exec() has to be one where it stands.
"""
import pathlib
import re
import sqlite3
import sys

FOLDERS = ("base", "mail", "queue", "component", "smtp-bridge", "app")
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "REPLACE")

# Files that look at everything because somebody has asked them to, on another thread than the queue's, or while it is shut.
WHOLE_FILES = {
    "queue/sqlite/admin/verify.cpp": "looks through all of it, on the reader, or in a queue that nobody has open",
    "queue/sqlite/admin/backup.cpp": "copies all of it, on the reader, or into a queue that is empty",
    "queue/sqlite/recovery/mend.cpp": "sets right all of a damaged one, which nobody has open",
    "queue/sqlite/recovery/table_shape.cpp": "asks what tables there are, for a repair",
}

# A part of the statement that scans -> why it may.
MAY_SCAN = {
    "SELECT MIN(message) FROM content": "the first entry of the table",
    "COALESCE((SELECT MAX(id) FROM message), 0)": "the last entries of two indexes, at the start",
    "SELECT COUNT(*) FROM recipient WHERE state IN (1, 3)": "on the reader, along an index, once a minute",
    "SELECT DISTINCT message FROM recipient WHERE state = 2": "along an index of what is being delivered, at the start and the stop",
    "m.crashes >= ?1 AND r.state = 2 LIMIT 1": "along an index of what is being delivered",
    "INDEXED BY message_crashes": "sorts what was under way in crashes in a row: no more than was once leased",
    "SELECT believed_at, forget_from FROM clock": "one row",
    "SELECT received_at FROM message ORDER BY id DESC LIMIT 1": "the last entry of the table",
    "SELECT at FROM event ORDER BY id DESC LIMIT 1": "the last entry of the table",
    "SELECT created_at FROM transfer ORDER BY number DESC LIMIT 1": "the last entry of the table",
    "FROM message WHERE origin_kind = 2 AND ended_at IS NULL": "along an index of what peers have left here, at the start",
    "FROM sqlite_master": "the tables and indexes, when it is opened",
    "SELECT message FROM transfer WHERE id = ?1 ORDER BY": "sorts transfers of one id: one for each domain of ours",
    "SELECT file, offset FROM partial": "no more than kOpen.of_all, at the start",
    "SELECT domain, component, first_seen": "in pages",
    "SELECT component FROM retired": "one for each component of ours",
    "SELECT component, domains, until FROM own_promise": "the same",
    "FILTER (WHERE organisation = ?1) FROM partial": "no more than kOpen.of_all",
    "COALESCE(SUM(size) FILTER (WHERE correspondent = 0), 0)": "no more than kOpen.of_all",
    "DELETE FROM partial WHERE (id, domain) IN (SELECT id": "no more than kOpen.of_all",
    "ORDER BY (days > 2), last_day LIMIT 1": "along an index, whose first entry it is",
    "SELECT COUNT(*) FROM standing": "no more than kStandings, once",
    "FROM verdict WHERE aborted = 1": "no more than kCallbacks.of_all, along an index",
}

STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/', re.S)
EXEC = re.compile(r'(?:connection\(\)\.exec(?:AndGet)?|\bcopy\.exec(?:AndGet)?)\(\s*')
# What exec() is called with, where the statement is a parameter: its literals stand where that is called.
PASSED_ON = {("queue/sqlite/admin/backup.cpp", "count")}
# Where the names in a statement, and the numbers that they stand for, are told.
NAMES = "queue/sqlite/store/sql.hpp"
NAME = re.compile(r'Name\{"(\w+)", static_cast<int>\((?:\w+::)*(\w+)::(\w+)\)\}')
ENUMS = ("queue/state.hpp", "queue/destination.hpp", "queue/mail_class.hpp", "queue/peer_class.hpp",
         "queue/ports.hpp")


def numbers(root):
    """The number that each name in a statement stands for."""
    values = {}
    for file in ENUMS:
        text = re.sub(r"//[^\n]*", "", (root / file).read_text(encoding="utf-8"))
        for enum, body in re.findall(r"enum class (\w+)[^{]*\{([^}]*)\}", text):
            values.update({(enum, word): int(number) for word, number in re.findall(r"(\w+) = (\d)\b", body)})
    return {name: values[enum, word] for name, enum, word in NAME.findall((root / NAMES).read_text(encoding="utf-8"))}


def literals(text):
    """Each run of string literals that stand side by side, as one."""
    masked, at = [], 0
    # A // inside a literal is none.
    for found in re.finditer(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', text, re.S):
        masked.append(text[at:found.start()])
        masked.append(found.group() if found.group().startswith('"') else " ")
        at = found.end()
    text = "".join(masked) + text[at:]
    run = re.compile(r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*')
    for found in run.finditer(text):
        yield "".join(STRING.findall(found.group())).replace('\\"', '"').replace("\\n", "\n")


def is_sql(literal):
    words = literal.split(None, 2)
    return len(words) > 1 and words[0] in VERBS


def statements(sources, names):
    """(file, SQL) of each statement, and what is wrong with how they stand in the sources."""
    found, wrong = [], []

    def expanded(literal):
        return re.sub(r"\{(\w+)\}", lambda name: str(names[name.group(1)]), literal)

    for path, text in sources.items():
        found += [(path, expanded(literal)) for literal in literals(text) if is_sql(literal)]
        for call in EXEC.finditer(COMMENT.sub("", text)):
            rest = COMMENT.sub("", text)[call.end():]
            argument = re.match(r'[^")]*', rest).group().strip().split(",")[0].split(")")[0]
            if rest.startswith('"') or (path, argument) in PASSED_ON or not argument:
                continue
            wrong.append(f"{path}: a statement that is no literal: {call.group()}{argument}")
    return found, wrong


def database(root):
    queue = sqlite3.connect(":memory:")
    for function in ("folded_address", "domainpart"):
        queue.create_function(function, 1, lambda text: text, deterministic=True)
    for migration in sorted((root / "schema/migrations").glob("*.sql")):
        queue.executescript(migration.read_text(encoding="utf-8"))
    return queue


def fill(queue, messages=3000):
    """Some that wait for a few destinations, and more that have ended."""
    queue.execute("INSERT INTO destination VALUES (1, 1, 'mail.a.test', 'b.test'), (2, 2, '', '')")
    for id in range(1, messages + 1):
        ended = None if id % 3 == 0 else id
        queue.execute(
            "INSERT INTO message (id, received_at, expires_at, sender, body, smtputf8, requiretls, ret, envid, origin_kind,"
            " origin_client, origin_helo, origin_domain, origin_transfer, origin_component, size, message_id, header_from,"
            " pending, ended_at, kept_from) VALUES (?1, ?1, ?1, '', 0, 0, 0, 0, '', 1, '', '', '', '', '', 1, '', '', ?2, ?3, ?3)",
            (id, 0 if ended else 1, ended))
        queue.execute(
            "INSERT INTO recipient (message, n, destination, address, notify, orcpt, state, attempts, due_at, ended_at)"
            " VALUES (?1, 0, ?2, 'bob@b.test', 0, '', ?3, 0, ?1, ?4)", (id, 1 + id % 2, 5 if ended else 1, ended))
        if not ended:
            queue.execute("INSERT INTO content VALUES (?1, x'00')", (id,))


def faults_of(queue, path, sql):
    """What its plan has that it must not have."""
    if path in WHOLE_FILES:
        return []
    try:
        # Parameters that are not bound are NULL; the plan is the same.
        plan = [row[3] for row in queue.execute("EXPLAIN QUERY PLAN " + sql, [None] * len(set(re.findall(r"\?\d+", sql))))]
    except sqlite3.Error as error:
        return [f"{path}: {error}: {sql}"]
    scans = [step for step in plan if step.startswith("SCAN") and not step.startswith("SCAN CONSTANT ROW")]
    sorts = [step for step in plan if "USE TEMP B-TREE" in step]
    for part, why in MAY_SCAN.items():
        if part in sql:
            # It is the index that bounds it.
            scans = [step for step in scans if "along an index" in why and " INDEX " not in step]
            sorts = []
    return [f"{path}: {step}: {sql}" for step in scans + sorts]


def check(root):
    sources = {}
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*.[ch]pp")):
            sources[file.relative_to(root).as_posix()] = file.read_text(encoding="utf-8")
    found, wrong = statements(sources, numbers(root))
    queue = database(root)
    fill(queue)
    for path, sql in found:
        wrong += faults_of(queue, path, sql)
    for part in MAY_SCAN:
        if not any(part in sql for _, sql in found):
            wrong.append(f"no statement has {part!r} any more")
    return found, wrong


def self_test(root):
    """What it has to find, it finds."""
    queue = database(root)
    fill(queue)
    names = numbers(root)
    assert names["queued"] == 1 and names["from_us"] == 3 and len(set(names)) > 15, names
    scan = 'Query a = database.query("SELECT n FROM recipient"\n   " WHERE state = {held} AND address = ?1"_sql);'
    found, wrong = statements({"queue/x.cpp": scan}, names)
    assert not wrong and found == [("queue/x.cpp", "SELECT n FROM recipient WHERE state = 4 AND address = ?1")], found
    assert faults_of(queue, *found[0])
    assert faults_of(queue, "queue/x.cpp", "UPDATE recipient SET state = 1, due_at = ?1 WHERE state = 2 OR n = 2")
    sort = "SELECT n FROM recipient WHERE message = ?1 ORDER BY address"
    assert faults_of(queue, "queue/x.cpp", sort)
    assert faults_of(queue, "queue/x.cpp", "SELECT nothing FROM recipient")
    assert not faults_of(queue, "queue/x.cpp", "SELECT n FROM recipient WHERE message = ?1 ORDER BY n")
    for call in ("store.database().connection().exec(made_up)", "copy.exec(text)"):
        assert statements({"queue/x.cpp": call}, names)[1], call
    assert not statements({"queue/x.cpp": '// copy.exec(sql)\ncopy.exec("SELECT 1 // 2")'}, names)[1]


def main(arguments):
    root = pathlib.Path(arguments[-1])
    if arguments[:1] == ["--self-test"]:
        self_test(root)
    found, wrong = check(root)
    for line in wrong:
        print(line)
    if wrong or not found:
        print(f"query plans: {len(wrong)} are not as they should be")
        return 1
    print(f"query plans: {len(found)} statements look at no more than they should")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
