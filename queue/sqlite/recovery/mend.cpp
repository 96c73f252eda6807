#include "queue/sqlite/recovery/mend.hpp"

#include "mail/address.hpp"
#include "mail/organisation.hpp"
#include "queue/destination.hpp"
#include "queue/sqlite/intake/verdicts.hpp"
#include "queue/sqlite/store/rows.hpp"

#include <limits>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace queue {
namespace {

// Rows are looked at 500 at a time: the statements below say so.
constexpr std::size_t kNamed = 20;  // recipients of one message in a line of the report

struct Which {
    std::int64_t message = 0;
    std::int64_t n = 0;
    std::string address;
};

struct Sums {
    QueueId id;
    std::int64_t pending = 0;  ///< as the message's row says
    std::int64_t waiting = 0;  ///< as those of its recipients do
    std::optional<std::int64_t> ended_at;
    std::optional<std::int64_t> kept_from;
    bool in_quarantine = false;
    std::int64_t size = 0;
    bool has_content = false;
    std::optional<std::int64_t> bytes;  ///< of a content in the database
};

class Mending {
  public:
    Mending(Database& database, const MendFiles& files, base::TimePoint now, RepairReport& report)
        : database_(database),
          files_(files),
          now_(now.time_since_epoch().count()),
          report_(report) {}

    base::Result<void> run() {
        database_.execute("BEGIN"_sql);
        if (auto kept = keep_what_has_no_message(); !kept) return kept;
        drop_history_of_nothing();
        mend_destinations();
        mend_states();
        mend_transfers();
        if (auto mended = mend_messages(); !mended) return mended;
        mend_reports();
        mend_verdicts();
        mend_partials();
        mend_standings();
        drop_odd_promises();
        database_.execute("COMMIT"_sql);
        return {};
    }

  private:
    static std::string name_of(std::int64_t message) { return QueueId{message}.to_text(); }

    void run(Sql sql) { database_.query(sql).run(); }

    std::vector<Which> some(Sql sql) {
        std::vector<Which> found;
        Query find = database_.query(sql);
        while (find.step())
            found.push_back({find.integer(0), find.integer(1), find.text(2)});
        return found;
    }

    /// Until it finds none: what is done to a row has to make it another one.
    template <class F>
    void each(Sql sql, const F& mend_one) {
        for (auto found = some(sql); !found.empty(); found = some(sql)) {
            for (const Which& which : found)
                mend_one(which);
        }
    }

    /// Its recipients are held until somebody has looked, as queue/sqlite/delivery/quarantine has
    /// them.
    void quarantine(std::int64_t message, const std::string& why) {
        {
            Query hold = database_.query(
                "UPDATE recipient SET state = {held}, code = 451, status = '4.3.0', reply = ?2,"
                " remote = '' WHERE message = ?1 AND state IN ({queued}, {leased}, {deferred})"_sql);
            hold.bind(message, why).run();
        }
        note_quarantine(message, std::nullopt, why);
    }

    /// Only this one of them.
    void hold(const Which& which, const std::string& why) {
        {
            Query hold = database_.query(
                "UPDATE recipient SET state = {held}, ended_at = NULL, code = 451, status = "
                "'4.3.0',"
                " reply = ?3, remote = '' WHERE message = ?1 AND n = ?2"_sql);
            hold.bind(which.message, which.n, why).run();
        }
        note_quarantine(which.message, which.n, why);
    }

    void note_quarantine(std::int64_t message, std::optional<std::int64_t> n,
                         const std::string& why) {
        {
            Query mark = database_.query(
                "UPDATE message SET damage = ?2 WHERE id = ?1 AND damage IS NULL"_sql);
            mark.bind(message, why).run();
        }
        if (database_.changes() > 0) ++report_.quarantined;
        {
            // What lives has a row in this table, by which it is found.
            Query stand_in = database_.query(
                "INSERT OR IGNORE INTO content (message, bytes) VALUES (?1, x'')"_sql);
            stand_in.bind(message).run();
        }
        Query tell = database_.query(
            "INSERT INTO event (message, at, n, what, detail)"
            " SELECT message, ?2, n, 'quarantined', ?3 FROM recipient"
            " WHERE message = ?1 AND state = {held} AND n = COALESCE(?4, n)"_sql);
        tell->bind(1, message);
        tell->bind(2, now_);
        tell->bind(3, why);
        if (n) tell->bind(4, *n);
        tell.run();
        report_.add(name_of(message) + ": in quarantine: " + why);
    }

    // What nobody knows the sender of.

    base::Result<void> keep_what_has_no_message() {
        for (const Sql sql : {"SELECT message, 0, '' FROM content c WHERE NOT EXISTS"
                              " (SELECT 1 FROM message m WHERE m.id = c.message) LIMIT 500"_sql,
                              "SELECT DISTINCT message, 0, '' FROM recipient r WHERE NOT EXISTS"
                              " (SELECT 1 FROM message m WHERE m.id = r.message) LIMIT 500"_sql}) {
            for (auto found = some(sql); !found.empty(); found = some(sql)) {
                for (const Which& which : found) {
                    if (auto kept = take_out(which.message); !kept) return kept;
                }
            }
        }
        return {};
    }

    base::Result<void> take_out(std::int64_t message) {
        std::vector<std::string> waiting;
        std::size_t unnamed = 0;
        {
            Query find = database_.query(
                "SELECT address FROM recipient WHERE message = ?1 AND ended_at IS NULL"_sql);
            find.bind(message);
            while (find.step()) {
                if (waiting.size() < kNamed)
                    waiting.push_back("<" + find.text(0) + ">");
                else
                    ++unnamed;
            }
        }
        const auto kept = keep_content(message);
        if (!kept) return kept.error();
        if (*kept || !waiting.empty()) {
            ++report_.lost_messages;
            report_.add(fmt::format(
                "{}: its sender is lost, and it can't be delivered; {}{}; {}", name_of(message),
                waiting.empty() ? "its recipients are lost, too"
                                : fmt::format("it was for {}", fmt::join(waiting, ", ")),
                unnamed > 0 ? fmt::format(" and {} more", unnamed) : "",
                where_it_is(message, *kept)));
        }
        for (const Sql sql :
             {"DELETE FROM report WHERE transfer IN (SELECT number FROM transfer WHERE message = "
              "?1)"_sql,
              "DELETE FROM recipient WHERE message = ?1"_sql,
              "DELETE FROM transfer WHERE message = ?1"_sql,
              "DELETE FROM event WHERE message = ?1"_sql,
              "DELETE FROM header WHERE message = ?1"_sql,
              "DELETE FROM content WHERE message = ?1"_sql}) {
            Query remove = database_.query(sql);
            remove.bind(message).run();
        }
        return {};
    }

    static std::string where_it_is(std::int64_t message, bool kept) {
        return kept ? "its content is in lost/" + name_of(message) : "its content is lost, too";
    }

    /// False if there is none.
    base::Result<bool> keep_content(std::int64_t message) {
        const QueueId id{message};
        std::optional<std::string> bytes;
        {
            Query find = database_.query("SELECT bytes FROM content WHERE message = ?1"_sql);
            if (!find.bind(message).step()) return false;
            if (!find.is_null(0)) bytes = find.text(0);
        }
        const auto size = files_.contents->size_of(id);
        if (bytes ? bytes->empty() : size == 0) return false;
        const auto lost = ContentFiles::open(files_.lost);
        if (!lost) return lost.error();
        const auto kept =
            bytes ? lost->write(id, *bytes) : lost->adopt(id, *files_.contents, id, size);
        if (!kept) return kept.error();
        return true;
    }

    void drop_history_of_nothing() {
        run("DELETE FROM event WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = message)"_sql);
        run("DELETE FROM header WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = message)"_sql);
        run("DELETE FROM transfer WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = message)"_sql);
        run("DELETE FROM report WHERE NOT EXISTS"
            " (SELECT 1 FROM transfer t WHERE t.number = transfer)"_sql);
    }

    // Recipients.

    void mend_destinations() {
        each(
            "SELECT message, n, address FROM recipient r WHERE NOT EXISTS"
            " (SELECT 1 FROM destination d WHERE d.id = r.destination) LIMIT 500"_sql,
            [this](const Which& which) {
                const auto found = destination_for(which.address);
                const std::int64_t to = found ? *found : relay();
                Query set = database_.query(
                    "UPDATE recipient SET destination = ?3 WHERE message = ?1 AND n = ?2"_sql);
                set.bind(which.message, which.n, to).run();
                if (!found && is_waiting(which)) hold(which, "its destination is lost");
            });
    }

    bool is_waiting(const Which& which) {
        Query find = database_.query(
            "SELECT 1 FROM recipient WHERE message = ?1 AND n = ?2 AND ended_at IS NULL"_sql);
        return find.bind(which.message, which.n).step();
    }

    /// That of other mail for the domain, if all of it goes one way.
    std::optional<std::int64_t> destination_for(const std::string& address) {
        const auto mailbox = mail::Mailbox::parse_loosely(address);
        if (!mailbox) return std::nullopt;
        Query find = database_.query("SELECT id FROM destination WHERE domain = ?1"_sql);
        if (!find.bind(mailbox->domain().ascii()).step()) return std::nullopt;
        const std::int64_t id = find.integer(0);
        if (find.step()) return std::nullopt;
        return id;
    }

    std::int64_t relay() {
        const auto lane = static_cast<int>(Lane::relay);
        {
            Query add = database_.query(
                "INSERT OR IGNORE INTO destination (lane, component, domain) VALUES (?1, '', '')"_sql);
            add.bind(lane).run();
        }
        Query find = database_.query(
            "SELECT id FROM destination WHERE lane = ?1 AND component = '' AND domain = ''"_sql);
        find.bind(lane).step();
        return find.integer(0);
    }

    void mend_states() {
        run("UPDATE recipient SET state = {queued} WHERE state = {leased}"_sql);
        // When it ended is certain, and its last reply says how.
        run("UPDATE recipient SET state = CASE WHEN code BETWEEN 200 AND 299 THEN {relayed}"
            " WHEN code BETWEEN 500 AND 599 THEN {bounced} ELSE {discarded} END"
            " WHERE ended_at IS NOT NULL AND state NOT BETWEEN {delivered} AND {discarded}"_sql);
        each(
            "SELECT message, n, address FROM recipient"
            " WHERE ended_at IS NULL AND state NOT BETWEEN {queued} AND {held} LIMIT 500"_sql,
            [this](const Which& which) {
                hold(which,
                     "its state was damaged: it may have been delivered to " + which.address);
            });
    }

    /// What was sent under a key that is not known any more must not be sent under another one.
    void mend_transfers() {
        each(
            "SELECT message, n, address FROM recipient r WHERE transfer IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM transfer t"
            " WHERE t.number = r.transfer AND t.message = r.message) LIMIT 500"_sql,
            [this](const Which& which) {
                {
                    Query forget = database_.query(
                        "UPDATE recipient SET transfer = NULL WHERE message = ?1 AND n = ?2"_sql);
                    forget.bind(which.message, which.n).run();
                }
                if (is_waiting(which))
                    hold(which,
                         "its transfer is lost: it may have been delivered to " + which.address);
            });
    }

    // Messages.

    base::Result<void> mend_messages() {
        std::int64_t after = std::numeric_limits<std::int64_t>::min();
        for (;;) {
            const std::vector<Sums> batch = sums_behind(after);
            if (batch.empty()) return {};
            after = batch.back().id.value;
            for (const Sums& sums : batch) {
                if (auto mended = mend_message(sums); !mended) return mended;
            }
        }
    }

    std::vector<Sums> sums_behind(std::int64_t after) {
        std::vector<Sums> batch;
        Query find = database_.query(
            "SELECT m.id, m.pending, (SELECT COUNT(*) FROM recipient r"
            " WHERE r.message = m.id AND r.state < {delivered}), m.ended_at, m.kept_from,"
            " m.damage IS NOT NULL, m.size, c.message IS NOT NULL, length(c.bytes)"
            " FROM message m LEFT JOIN content c ON c.message = m.id"
            " WHERE m.id > ?1 ORDER BY m.id LIMIT 500"_sql);
        find.bind(after);
        const auto maybe = [&](int column) {
            return find.is_null(column) ? std::nullopt : std::optional(find.integer(column));
        };
        while (find.step())
            batch.push_back({QueueId{find.integer(0)}, find.integer(1), find.integer(2), maybe(3),
                             maybe(4), find.integer(5) != 0, find.integer(6), find.integer(7) != 0,
                             maybe(8)});
        return batch;
    }

    base::Result<void> mend_message(const Sums& sums) {
        // What has ended, and says so, has no content: where it has none, a count proves nothing.
        if (sums.pending > sums.waiting && (sums.has_content || !sums.ended_at)) {
            if (auto told = tell_of_lost_recipients(sums); !told) return told;
        }
        set_counts(sums);
        if (sums.waiting == 0) {
            if (!sums.has_content) return {};
            Query remove = database_.query("DELETE FROM content WHERE message = ?1"_sql);
            remove.bind(sums.id.value).run();
        } else if (!sums.in_quarantine) {
            if (const auto why = why_unreadable(sums)) quarantine(sums.id.value, *why);
        } else {
            Query out = database_.query(
                "UPDATE message SET damage = NULL WHERE id = ?1 AND NOT EXISTS"
                " (SELECT 1 FROM recipient WHERE message = ?1 AND state = {held})"_sql);
            out.bind(sums.id.value).run();
            Query stand_in = database_.query(
                "INSERT OR IGNORE INTO content (message, bytes) VALUES (?1, x'')"_sql);
            stand_in.bind(sums.id.value).run();
        }
        return {};
    }

    base::Result<void> tell_of_lost_recipients(const Sums& sums) {
        const auto kept = keep_content(sums.id.value);
        if (!kept) return kept.error();
        const std::int64_t lost = sums.pending - sums.waiting;
        report_.lost_recipients += lost;
        std::string sender;
        {
            Query find = database_.query("SELECT sender FROM message WHERE id = ?1"_sql);
            if (find.bind(sums.id.value).step()) sender = find.text(0);
        }
        report_.add(fmt::format("{}: of its recipients, {} are lost; it is from <{}>; {}",
                                sums.id.to_text(), lost, sender,
                                where_it_is(sums.id.value, *kept)));
        return {};
    }

    void set_counts(const Sums& sums) {
        std::optional<std::int64_t> ended_at;
        std::optional<std::int64_t> kept_from;
        if (sums.waiting == 0) {
            ended_at = sums.ended_at.value_or(now_);
            kept_from = std::max(sums.kept_from.value_or(*ended_at), *ended_at);
        }
        if (sums.pending == sums.waiting && ended_at == sums.ended_at &&
            kept_from == sums.kept_from)
            return;
        Query set = database_.query(
            "UPDATE message SET pending = ?2, ended_at = ?3, kept_from = ?4 WHERE id = ?1"_sql);
        set->bind(1, sums.id.value);
        set->bind(2, sums.waiting);
        if (ended_at) set->bind(3, *ended_at);
        if (kept_from) set->bind(4, *kept_from);
        set.run();
    }

    std::optional<std::string> why_unreadable(const Sums& sums) {
        if (!sums.has_content) return "its content is lost";
        const auto size = sums.bytes ? static_cast<std::uintmax_t>(*sums.bytes)
                                     : files_.contents->size_of(sums.id);
        if (size != static_cast<std::uintmax_t>(sums.size))
            return fmt::format("its content is {} bytes long, not {}", size, sums.size);
        const auto row = read_message(database_, sums.id);
        if (!row) return row.error().text;
        Query find = database_.query(
            "SELECT n, address, notify, orcpt FROM recipient WHERE message = ?1 AND state < {delivered}"_sql);
        find.bind(sums.id.value);
        while (find.step()) {
            const auto recipient =
                to_recipient(find.integer(0), find.text(1), find.integer(2), find.text(3));
            if (!recipient) return recipient.error().text;
        }
        return std::nullopt;
    }

    // The rest.

    /// That its sender was told is part of the transaction in which a recipient fails.
    void mend_reports() {
        Query tell = database_.query(
            "INSERT INTO event (message, at, n, what, detail)"
            " SELECT DISTINCT m.id, ?1, NULL, 'reported', 'which report it was is lost'"
            " FROM recipient r JOIN message m ON m.id = r.message"
            " WHERE r.state IN ({bounced}, {expired}) AND m.origin_kind <> {from_us} AND m.sender "
            "<> ''"
            " AND (r.notify = 0 OR (r.notify & 4) <> 0) AND NOT EXISTS"
            " (SELECT 1 FROM event e WHERE e.message = m.id AND e.what = 'reported')"_sql);
        tell.bind(now_).run();
    }

    void mend_verdicts() {
        struct Key {
            std::string id;
            std::string domain;
            bool sound = false;
        };
        Key last;
        for (;;) {
            std::vector<Key> batch;
            {
                Query find = database_.query(
                    "SELECT id, domain, aborted, verdicts FROM verdict"
                    " WHERE (id, domain) > (?1, ?2) ORDER BY id, domain LIMIT 500"_sql);
                find.bind(last.id, last.domain);
                while (find.step())
                    batch.push_back(
                        {find.text(0), find.text(1),
                         find.integer(2) != 0 || decode_verdicts(find.text(3)).has_value()});
            }
            if (batch.empty()) return;
            last = batch.back();
            for (const Key& key : batch) {
                if (key.sound) continue;
                Query remove =
                    database_.query("DELETE FROM verdict WHERE id = ?1 AND domain = ?2"_sql);
                remove.bind(key.id, key.domain).run();
                ++report_.lost_verdicts;
                report_.add(
                    fmt::format("the verdict on transfer {} of {} is lost: if it is sent "
                                "again, it may be taken twice",
                                key.id, key.domain));
            }
        }
    }

    /// What has not come yet is sent again.
    void mend_partials() {
        std::int64_t after = std::numeric_limits<std::int64_t>::min();
        for (;;) {
            std::vector<std::pair<std::int64_t, std::int64_t>> batch;
            {
                Query find = database_.query(
                    "SELECT file, offset FROM partial WHERE file > ?1 ORDER BY file LIMIT 500"_sql);
                find.bind(after);
                while (find.step())
                    batch.emplace_back(find.integer(0), find.integer(1));
            }
            if (batch.empty()) return;
            after = batch.back().first;
            for (const auto& [file, offset] : batch) {
                if (files_.spool->size_of(QueueId{file}) >= static_cast<std::uintmax_t>(offset))
                    continue;
                Query remove = database_.query("DELETE FROM partial WHERE file = ?1"_sql);
                remove.bind(file).run();
            }
        }
    }

    /// What is known of a domain's days is enough for a line of it; what an administrator had said
    /// is not among them.
    void mend_standings() {
        run("UPDATE standing SET by_hand = 0"
            " WHERE by_hand NOT IN (0, {class_blocked}, {class_trusted}, {class_limited})"_sql);
        // More than any domain sends in a day would be added to, and past what a number can be.
        run("DELETE FROM standing_day WHERE day NOT BETWEEN 0 AND 100000"
            " OR messages NOT BETWEEN 0 AND 1099511627776"
            " OR recipients NOT BETWEEN 0 AND 1099511627776"
            " OR unknown NOT BETWEEN 0 AND 1099511627776"
            " OR refused NOT BETWEEN 0 AND 1099511627776"
            " OR complaints NOT BETWEEN 0 AND 1099511627776"_sql);
        run("UPDATE standing SET since = 0 WHERE since NOT BETWEEN 0 AND 100000"_sql);
        run("UPDATE standing SET last_day = since WHERE last_day NOT BETWEEN since AND 100000"_sql);
        struct Line {
            std::string domain;
            std::int64_t since = 0;
            std::int64_t last = 0;
            std::int64_t days = 0;
        };
        for (;;) {
            std::vector<Line> batch;
            {
                Query find = database_.query(
                    "SELECT domain, MIN(day), MAX(day), COUNT(*) FROM standing_day d WHERE NOT"
                    " EXISTS (SELECT 1 FROM standing s WHERE s.domain = d.domain)"
                    " GROUP BY domain LIMIT 500"_sql);
                while (find.step())
                    batch.push_back(
                        {find.text(0), find.integer(1), find.integer(2), find.integer(3)});
            }
            if (batch.empty()) return;
            for (const Line& line : batch) {
                Query add = database_.query(
                    "INSERT INTO standing (domain, since, last_day, days, organisation, by_hand,"
                    " set_at) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0)"_sql);
                add.bind(line.domain, line.since, line.last, line.days,
                         mail::Organisation::of(line.domain).name())
                    .run();
                report_.add("the peer book's line for " + line.domain +
                            " was lost, and made anew from its days; what an administrator had "
                            "said of it is not in it");
            }
        }
    }

    /// Without it the form has to be read twice again.
    void drop_odd_promises() {
        run("DELETE FROM promise WHERE domain = '' OR component = '' OR counts NOT IN (0, 1)"
            " OR first_read > last_read OR last_read > until"
            " OR until - last_read > 1209600000"_sql);
    }

    Database& database_;
    const MendFiles& files_;
    std::int64_t now_;
    RepairReport& report_;
};

}  // namespace

base::Result<void> mend(Database& database, const MendFiles& files, base::TimePoint now,
                        RepairReport& report) {
    return Mending(database, files, now, report).run();
}

}  // namespace queue
