#include "queue/sqlite/admin/verify.hpp"

#include "queue/sqlite/intake/verdicts.hpp"
#include "queue/sqlite/store/rows.hpp"

namespace queue {
namespace {

constexpr std::size_t kFindings = 1000;

/// An invariant as the rows that break it: the message's id, and something about it.
struct Check {
    const char* what;
    Sql sql;
};

constexpr Check kChecks[] = {
    {"a recipient is in no known state",
     "SELECT message, state FROM recipient WHERE state NOT BETWEEN {queued} AND {discarded}"_sql},
    {"a recipient has no message",
     "SELECT r.message, r.n FROM recipient r LEFT JOIN message m ON m.id = r.message"
     " WHERE m.id IS NULL"_sql},
    {"the count of recipients that have not ended is wrong",
     "SELECT id, pending FROM message WHERE pending <> (SELECT COUNT(*) FROM recipient"
     " WHERE recipient.message = message.id AND state < {delivered})"_sql},
    {"the message has ended and does not say when, or the other way round",
     "SELECT id, pending FROM message WHERE (pending = 0) <> (ended_at IS NOT NULL)"
     " OR (ended_at IS NULL) <> (kept_from IS NULL) OR kept_from < ended_at"_sql},
    {"a recipient has ended and does not say when, or the other way round",
     "SELECT message, n FROM recipient WHERE (state >= {delivered}) <> (ended_at IS NOT NULL)"_sql},
    {"the message waits, and has no content",
     "SELECT id, pending FROM message WHERE pending > 0 AND id NOT IN (SELECT message FROM "
     "content)"_sql},
    {"there is content of a message that does not wait",
     "SELECT c.message, 0 FROM content c LEFT JOIN message m ON m.id = c.message"
     " WHERE m.pending IS NULL OR m.pending = 0"_sql},
    {"the content has another size, and the message is not in quarantine",
     "SELECT m.id, length(c.bytes) FROM message m JOIN content c ON c.message = m.id"
     " WHERE c.bytes IS NOT NULL AND length(c.bytes) <> m.size AND m.damage IS NULL"_sql},
    {"the message is in quarantine, and none of its recipients is held",
     "SELECT m.id, m.pending FROM message m WHERE m.damage IS NOT NULL AND m.pending > 0"
     " AND NOT EXISTS (SELECT 1 FROM recipient r WHERE r.message = m.id AND r.state = {held})"_sql},
    {"a recipient's destination is unknown",
     "SELECT r.message, r.destination FROM recipient r LEFT JOIN destination d"
     " ON d.id = r.destination WHERE d.id IS NULL"_sql},
    {"a recipient's transfer is unknown, or another message's",
     "SELECT r.message, r.transfer FROM recipient r LEFT JOIN transfer t ON t.number = r.transfer"
     " WHERE r.transfer IS NOT NULL AND (t.number IS NULL OR t.message <> r.message)"_sql},
    {"a transfer has no message",
     "SELECT t.message, t.number FROM transfer t LEFT JOIN message m ON m.id = t.message"
     " WHERE m.id IS NULL"_sql},
    {"two transfers have the same key",
     "SELECT MIN(message), COUNT(*) FROM transfer GROUP BY id, domain HAVING COUNT(*) > 1"_sql},
    {"a step of the history has no message",
     "SELECT e.message, e.id FROM event e LEFT JOIN message m ON m.id = e.message"
     " WHERE m.id IS NULL"_sql},
    {"a kept header has no message",
     "SELECT h.message, 0 FROM header h LEFT JOIN message m ON m.id = h.message"
     " WHERE m.id IS NULL"_sql},
    {"a report that was taken has no transfer",
     "SELECT 0, r.transfer FROM report r LEFT JOIN transfer t ON t.number = r.transfer"
     " WHERE t.number IS NULL"_sql},
    {"a day of the peer book has no domain",
     "SELECT DISTINCT 0, d.domain FROM standing_day d LEFT JOIN standing s ON s.domain = d.domain"
     " WHERE s.domain IS NULL"_sql},
    {"a figure of the peer book can't be",
     "SELECT 0, domain FROM standing_day WHERE day NOT BETWEEN 0 AND 100000"
     " OR messages NOT BETWEEN 0 AND 1099511627776 OR recipients NOT BETWEEN 0 AND 1099511627776"
     " OR unknown NOT BETWEEN 0 AND 1099511627776 OR refused NOT BETWEEN 0 AND 1099511627776"
     " OR complaints NOT BETWEEN 0 AND 1099511627776"_sql},
    {"a domain of the peer book has a class that nobody can give it",
     "SELECT 0, domain FROM standing"
     " WHERE by_hand NOT IN (0, {class_blocked}, {class_trusted}, {class_limited})"_sql},
    {"a peer's promise can't be",
     "SELECT 0, domain FROM promise WHERE domain = '' OR component = '' OR counts NOT IN (0, 1)"
     " OR first_read > last_read OR last_read > until OR until - last_read > 1209600000"_sql},
    // NOTIFY: 1 never, 4 failure; 0 is unset, which wants failures.
    {"a recipient has failed, and its sender was not told",
     "SELECT m.id, r.n FROM recipient r JOIN message m ON m.id = r.message"
     " WHERE r.state IN ({bounced}, {expired}) AND m.origin_kind <> {from_us} AND m.sender <> ''"
     " AND (r.notify = 0 OR (r.notify & 4) <> 0) AND NOT EXISTS"
     " (SELECT 1 FROM event e WHERE e.message = m.id AND e.what = 'reported')"_sql},
};

constexpr Check kNotInUse[] = {
    {"a recipient is being delivered, and nobody does",
     "SELECT message, n FROM recipient WHERE state = {leased}"_sql},
};

class Verifying {
  public:
    Verifying(Database& database, const VerifyFiles& files) : database_(database), files_(files) {}

    std::vector<Finding> run() {
        check_pages();
        // What a damaged page says of rows would only confuse.
        if (!findings_.empty()) return std::move(findings_);
        for (const Check& check : kChecks)
            look(check);
        if (!files_.in_use) {
            for (const Check& check : kNotInUse)
                look(check);
        }
        check_values();
        check_verdicts();
        if (files_.contents != nullptr) check_contents();
        if (files_.spool != nullptr && !files_.in_use) check_spool();
        return std::move(findings_);
    }

  private:
    bool is_full() const { return findings_.size() >= kFindings; }
    void add(QueueId message, const std::string& text) {
        if (!is_full()) findings_.push_back({message, text});
    }

    void check_pages() {
        Query check = database_.query("PRAGMA integrity_check(20)"_sql);
        while (check.step()) {
            const std::string text = check.text(0);
            if (text != "ok") add({}, "the database's pages: " + text);
        }
    }

    void look(const Check& check) {
        Query find = database_.query(check.sql);
        while (!is_full() && find.step())
            add(QueueId{find.integer(0)}, std::string(check.what) + " (" + find.text(1) + ")");
    }

    /// What the columns hold can be read as what it was written as.
    void check_values() {
        std::vector<QueueId> ids;
        {
            Query find = database_.query(
                "SELECT m.id FROM content c JOIN message m ON m.id = c.message"
                " WHERE m.damage IS NULL"_sql);
            while (find.step())
                ids.push_back(QueueId{find.integer(0)});
        }
        for (const QueueId id : ids) {
            const auto row = read_message(database_, id);
            if (!row) add(id, row.error().text);
        }
        Query find = database_.query(
            "SELECT r.message, r.n, r.address FROM content c JOIN recipient r"
            " ON r.message = c.message JOIN message m ON m.id = c.message"
            " WHERE m.damage IS NULL AND r.state < {delivered}"_sql);
        while (!is_full() && find.step()) {
            const auto mailbox = mail::Mailbox::parse_loosely(find.text(2));
            if (!mailbox)
                add(QueueId{find.integer(0)},
                    "recipient " + find.text(1) + ": " + mailbox.error().text);
        }
    }

    void check_verdicts() {
        Query find = database_.query("SELECT id, verdicts FROM verdict WHERE aborted = 0"_sql);
        while (!is_full() && find.step()) {
            const auto verdicts = decode_verdicts(find.text(1));
            if (!verdicts) add({}, "transfer " + find.text(0) + ": " + verdicts.error().text);
        }
    }

    void check_contents() {
        struct Row {
            QueueId id;
            std::uintmax_t size;
        };
        std::vector<Row> odd;
        {
            Query find = database_.query(
                "SELECT m.id, m.size FROM content c JOIN message m ON m.id = c.message"
                " WHERE c.bytes IS NULL AND m.damage IS NULL"_sql);
            while (find.step()) {
                const Row row{QueueId{find.integer(0)},
                              static_cast<std::uintmax_t>(find.integer(1))};
                if (files_.contents->size_of(row.id) != row.size) odd.push_back(row);
            }
        }
        if (files_.in_use && !odd.empty()) {
            // It may have been delivered since the snapshot was taken.
            database_.execute("COMMIT"_sql);
            database_.execute("BEGIN"_sql);
        }
        for (const Row& row : odd) {
            Query again = database_.query("SELECT 1 FROM content WHERE message = ?1"_sql);
            if (again.bind(row.id.value).step())
                add(row.id, "the file with its content is missing, or has another size");
        }
    }

    void check_spool() {
        Query find = database_.query("SELECT file, offset FROM partial"_sql);
        while (!is_full() && find.step()) {
            const QueueId file{find.integer(0)};
            if (files_.spool->size_of(file) < static_cast<std::uintmax_t>(find.integer(1)))
                add({}, "the file " + file.to_text() + " of an open transfer is too short");
        }
    }

    Database& database_;
    const VerifyFiles& files_;
    std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> verify(Database& database, const VerifyFiles& files) {
    return Verifying(database, files).run();
}

}  // namespace queue
