#include "queue/sqlite/intake/verdicts.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "mail/organisation.hpp"
#include "queue/intake/receiving.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace queue {
namespace {

using Known = KnownTransfer::State;

// When there is no room for another one, those go for which nothing has come for so long; first
// those of strangers.
constexpr auto kStrangerIdleWhenFull = std::chrono::minutes(2);
constexpr auto kIdleWhenFull = std::chrono::minutes(15);

/// How many of a kind there may be. All peers of an organisation count together.
struct Quota {
    int of_one;        ///< of an organisation ...
    int when_crowded;  ///< ... and once half of `of_all` is taken
    int of_all;
};
constexpr Quota kOpen{16, 2, 1000};            // open transfers ...
constexpr Quota kOpenOfStrangers{16, 2, 600};  // ... and of these, of peers we never sent mail to
constexpr Quota kCallbacks{1000, 100, 20000};  // unknown keys that were called back
// Strangers' open transfers leave so many times their size free; all together leave it once.
constexpr std::size_t kFreeForStranger = 3;

mail::Sha256 read_digest(Query& row, int column) {
    mail::Sha256 digest{};
    const SQLite::Column blob = row->getColumn(column);
    if (static_cast<std::size_t>(blob.getBytes()) == digest.size()) {
        const auto* const bytes = static_cast<const std::uint8_t*>(blob.getBlob());
        std::copy_n(bytes, digest.size(), digest.begin());
    }
    return digest;
}

/// However far ahead a peer's clock is: what lies beyond the retention was refused, and need not be
/// kept.
std::int64_t kept_until(const Store& store, base::TimePoint expires) {
    return to_millis(
        std::min<base::TimePoint>(expires, store.latest_now() + base::limits::kRetention));
}

struct PartialRow {
    QueueId file;
    KnownTransfer known;
};

std::optional<PartialRow> find_partial(Store& store, const TransferKey& key) {
    Query find = store.database().query(
        "SELECT digest, peer, file, size, offset FROM partial WHERE id = ?1 AND domain = ?2"_sql);
    if (!find.bind(key.id, key.domain.ascii()).step()) return std::nullopt;
    PartialRow row{QueueId{find.integer(2)}, {}};
    row.known.state = Known::open;
    row.known.digest = read_digest(find, 0);
    row.known.peer = find.text(1);
    row.known.size = static_cast<std::uint64_t>(find.integer(3));
    row.known.offset = static_cast<std::uint64_t>(find.integer(4));
    return row;
}

void remove_partial(Store& store, const TransferKey& key) {
    // Hardly any transfer has one, and DELETE ... RETURNING makes a table of its own each time.
    std::optional<QueueId> found;
    {
        Query find =
            store.database().query("SELECT file FROM partial WHERE id = ?1 AND domain = ?2"_sql);
        if (find.bind(key.id, key.domain.ascii()).step()) found = QueueId{find.integer(0)};
    }
    if (!found) return;
    const QueueId file = *found;
    Query remove = store.database().query("DELETE FROM partial WHERE id = ?1 AND domain = ?2"_sql);
    remove.bind(key.id, key.domain.ascii()).run();
    store.after_commit([&store, file] { store.spool().remove(file); });
}

/// What another one would take that is not there.
enum class Lack : std::uint8_t { nothing, own_share, room };

/// `count`: all there are, and those of one organisation.
Lack lack_of(Query& count, const Quota& quota) {
    count.step();
    const std::int64_t all = count.integer(0);
    const std::int64_t of_peer = count.integer(1);
    if (of_peer >= quota.of_one) return Lack::own_share;
    const bool crowded = all >= quota.of_all / 2;
    const bool fits = all < quota.of_all && (!crowded || of_peer < quota.when_crowded);
    return fits ? Lack::nothing : Lack::room;
}

/// Room for one more open transfer: in number, and on the disk, of which what is still arriving
/// takes no more than half, so that a peer that only ever opens shuts no door.
Lack lack_of(Store& store, const Opening& opening, const std::string& organisation) {
    {
        Query all = store.database().query(
            "SELECT COUNT(*), COUNT(*) FILTER (WHERE organisation = ?1) FROM partial"_sql);
        const Lack lack = lack_of(all.bind(organisation), kOpen);
        if (lack != Lack::nothing) return lack;
    }
    if (!opening.correspondent) {
        Query strangers = store.database().query(
            "SELECT COUNT(*), COUNT(*) FILTER (WHERE organisation = ?1) FROM partial"
            " WHERE correspondent = 0"_sql);
        const Lack lack = lack_of(strangers.bind(organisation), kOpenOfStrangers);
        if (lack != Lack::nothing) return lack;
    }
    Query sum = store.database().query(
        "SELECT COALESCE(SUM(size), 0), COALESCE(SUM(size) FILTER (WHERE correspondent = 0), 0)"
        " FROM partial"_sql);
    sum.step();
    const auto kept = static_cast<std::size_t>(sum.integer(0));
    const auto of_strangers = static_cast<std::size_t>(sum.integer(1));
    const auto size = static_cast<std::size_t>(opening.size);
    // Their room is taken already, so that as much again has to be free for all else.
    bool fits = store.check_space(kept + 2 * size).has_value();
    if (!opening.correspondent)
        fits = fits && store.check_space(kFreeForStranger * (of_strangers + size) + size);
    return fits ? Lack::nothing : Lack::room;
}

/// Takes away open transfers that have expired, or got nothing for `idle`, or are strangers' and
/// got nothing for `stranger_idle`; how many. `organisation`: only its own; empty: everybody's.
int forget_partials(Store& store, const std::string& organisation, base::TimePoint::duration idle,
                    base::TimePoint::duration stranger_idle) {
    std::vector<QueueId> files;
    {
        Query partials = store.database().query(
            "DELETE FROM partial WHERE (id, domain) IN (SELECT id, domain FROM partial"
            " WHERE (expires_at < ?1 OR touched_at < ?2"
            " OR (correspondent = 0 AND touched_at < ?3)) AND ?4 IN ('', organisation)"
            " LIMIT ?5) RETURNING file"_sql);
        partials.bind(to_millis(store.now()), to_millis(store.now() - idle),
                      to_millis(store.now() - stranger_idle), organisation,
                      static_cast<std::int64_t>(base::limits::kPruned));
        while (partials.step())
            files.push_back(QueueId{partials.integer(0)});
    }
    for (const QueueId file : files)
        store.after_commit([&store, file] { store.spool().remove(file); });
    return static_cast<int>(files.size());
}

/// Room for one more open transfer, and be it that others lose theirs: who exceeds its own share
/// costs nobody else's.
base::Result<void> take_room(Store& store, const Opening& opening,
                             const std::string& organisation) {
    Lack lack = lack_of(store, opening, organisation);
    for (const auto idle : {base::TimePoint::duration(base::limits::kPartialIdle),
                            base::TimePoint::duration(kIdleWhenFull)}) {
        if (lack == Lack::nothing) break;
        const std::string whose = lack == Lack::own_share ? organisation : std::string();
        if (forget_partials(store, whose, idle, kStrangerIdleWhenFull) > 0)
            lack = lack_of(store, opening, organisation);
    }
    // No fault of the storage, which would be logged each time: the peer has to wait.
    if (lack == Lack::own_share)
        return base::fail(base::Errc::busy, "too many transfers of " + organisation + " are open");
    if (lack == Lack::room)
        return base::fail(base::Errc::busy, "no room for another open transfer");
    return {};
}

base::Error conflict(const TransferKey& key) {
    return base::fail(base::Errc::conflict,
                      "transfer " + key.id + " was here before, as another message");
}

}  // namespace

std::string encode_verdicts(const std::vector<RecipientVerdict>& verdicts) {
    std::string text;
    for (const auto& verdict : verdicts) {
        text += fmt::format("{} {} {} {}\n", verdict.n, verdict.reply.code,
                            verdict.reply.status.to_text(),
                            base::printable(verdict.reply.text, base::limits::kStatusText));
    }
    return text;
}

base::Result<std::vector<RecipientVerdict>> decode_verdicts(const std::string& text) {
    std::vector<RecipientVerdict> verdicts;
    for (std::string_view line : base::split(text, "\n")) {
        const auto bad = [] {
            return base::fail(base::Errc::storage, "a stored verdict is damaged");
        };
        const auto words = base::split(line, " ");
        if (words.size() < 3) return bad();
        const auto n = base::parse_number(words[0], UINT32_MAX);
        const auto code = base::parse_number(words[1], 599);
        const auto status = mail::EnhancedStatus::parse(words[2]);
        if (!n || !code || !status) return bad();
        // The three words are followed by one space each; the rest is the text, which may be empty.
        const std::size_t head = words[0].size() + words[1].size() + words[2].size() + 3;
        const std::string rest(line.substr(std::min(head, line.size())));
        verdicts.push_back(
            {static_cast<std::uint32_t>(*n), {static_cast<int>(*code), *status, rest}});
    }
    return verdicts;
}

KnownTransfer find_transfer(Store& store, const TransferKey& key) {
    {
        Query find = store.database().query(
            "SELECT digest, peer, message, verdicts, aborted FROM verdict"
            " WHERE id = ?1 AND domain = ?2"_sql);
        if (find.bind(key.id, key.domain.ascii()).step()) {
            KnownTransfer known;
            known.peer = find.text(1);
            known.state = find.integer(4) != 0 ? Known::aborted : Known::done;
            if (known.state == Known::aborted) return known;
            known.digest = read_digest(find, 0);
            if (!find.is_null(2)) known.queue_id = QueueId{find.integer(2)};
            auto verdicts = decode_verdicts(find.text(3));
            if (!verdicts) throw SQLite::Exception(verdicts.error().text);
            known.verdicts = std::move(*verdicts);
            return known;
        }
    }
    auto partial = find_partial(store, key);
    return partial ? std::move(partial->known) : KnownTransfer();
}

void insert_verdict(Store& store, const ReceivedTransfer& transfer,
                    std::optional<QueueId> message) {
    remove_partial(store, transfer.key);
    Query insert = store.database().query(
        "INSERT INTO verdict (id, domain, digest, peer, message, verdicts, expires_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"_sql);
    insert->bind(1, transfer.key.id);
    insert->bind(2, transfer.key.domain.ascii());
    insert->bind(3, transfer.digest.data(), static_cast<int>(transfer.digest.size()));
    insert->bind(4, transfer.peer);
    if (message) insert->bind(5, message->value);
    insert->bind(6, encode_verdicts(transfer.verdicts));
    insert->bind(7, kept_until(store, transfer.expires));
    insert.run();
}

base::Result<KnownTransfer> open_transfer(Store& store, const Opening& opening) {
    KnownTransfer known = find_transfer(store, opening.key);
    const Effect effect = open(known, opening);
    if (effect == Effect::conflict) return conflict(opening.key);
    if (effect == Effect::same) return known;
    const std::string organisation = mail::Organisation::of(opening.peer).name();
    if (auto room = take_room(store, opening, organisation); !room) return room.error();
    const auto size = static_cast<std::size_t>(opening.size);
    const QueueId file = store.next_id();
    if (auto created = store.spool().create(file, size); !created) return created.error();
    store.if_undone([&store, file] { store.spool().remove(file); });
    Query insert = store.database().query(
        "INSERT INTO partial (id, domain, digest, peer, file, size, offset, expires_at, touched_at,"
        " organisation, correspondent) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10)"_sql);
    insert->bind(1, opening.key.id);
    insert->bind(2, opening.key.domain.ascii());
    insert->bind(3, opening.digest.data(), static_cast<int>(opening.digest.size()));
    insert->bind(4, opening.peer);
    insert->bind(5, file.value);
    insert->bind(6, static_cast<std::int64_t>(opening.size));
    insert->bind(7, kept_until(store, opening.expires));
    insert->bind(8, to_millis(store.now()));
    insert->bind(9, organisation);
    insert->bind(10, opening.correspondent ? 1 : 0);
    insert.run();
    return known;
}

base::Result<KnownTransfer> add_piece(Store& store, const Piece& piece) {
    auto row = find_partial(store, piece.key);
    if (!row) return base::fail(base::Errc::not_found, "the transfer is not open");
    switch (add(row->known, piece.peer, piece.offset, piece.bytes.size())) {
        case Effect::changed:
            break;
        case Effect::too_long:
            return base::fail(base::Errc::limit, "the chunk goes beyond the announced size");
        case Effect::not_open:
            return base::fail(base::Errc::not_found, "the transfer is not open");
        default:
            return row->known;
    }
    // Where the file system could not keep the room.
    if (auto space = store.check_space(0); !space) return space.error();
    // The bytes are on the disk before the row that counts them is. What a crash leaves of them is
    // overwritten.
    auto written =
        store.spool().put(row->file, static_cast<std::size_t>(piece.offset), piece.bytes, true);
    if (!written) return written.error();
    Query update = store.database().query(
        "UPDATE partial SET offset = ?3, touched_at = ?4 WHERE id = ?1 AND domain = ?2"_sql);
    update
        .bind(piece.key.id, piece.key.domain.ascii(), static_cast<std::int64_t>(row->known.offset),
              to_millis(store.now()))
        .run();
    return row->known;
}

base::Result<TransferBook::Complete> complete_content(Store& store, const TransferKey& key,
                                                      const std::string& peer) {
    const auto row = find_partial(store, key);
    if (!row || row->known.peer != peer || row->known.offset != row->known.size)
        return base::fail(base::Errc::not_found, "the transfer is not complete");
    auto file = store.spool().file(row->file, static_cast<std::size_t>(row->known.size));
    if (!file) return file.error();
    return TransferBook::Complete{store.content_reader().content(std::move(*file)), row->file};
}

base::Result<KnownTransfer> call_transfer_back(Store& store, const Recall& recall) {
    const TransferKey& key = recall.key;
    const std::string& peer = recall.peer;
    KnownTransfer known = find_transfer(store, key);
    const bool was_unknown = known.state == Known::unknown;
    const Effect effect = call_back(known, recall);
    if (effect == Effect::conflict) return conflict(key);
    if (effect == Effect::same) return known;
    const std::string organisation = mail::Organisation::of(peer).name();
    if (was_unknown) {
        Query count = store.database().query(
            "SELECT COUNT(*), COUNT(*) FILTER (WHERE organisation = ?1) FROM verdict"
            " WHERE aborted = 1"_sql);
        count.bind(organisation);
        if (lack_of(count, kCallbacks) != Lack::nothing)
            return base::fail(base::Errc::busy, "too many transfers were called back");
    }
    if (auto space = store.check_space(0); !space) return space.error();
    remove_partial(store, key);
    Query insert = store.database().query(
        "INSERT INTO verdict (id, domain, digest, peer, verdicts, expires_at, aborted, "
        "organisation)"
        " VALUES (?1, ?2, x'', ?3, '', ?4, ?5, ?6)"_sql);
    insert
        .bind(key.id, key.domain.ascii(), peer, kept_until(store, recall.expires),
              was_unknown ? 1 : 2, organisation)
        .run();
    return known;
}

int prune_transfers(Store& store) {
    const int partials =
        forget_partials(store, {}, base::limits::kPartialIdle, base::limits::kPartialIdle);
    if (!store.may_forget_verdicts()) return partials;
    Query verdicts = store.database().query(
        "DELETE FROM verdict WHERE (id, domain) IN"
        " (SELECT id, domain FROM verdict WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)"_sql);
    verdicts
        .bind(to_millis(store.now() - base::limits::kVerdictGrace),
              static_cast<std::int64_t>(base::limits::kPruned))
        .run();
    return std::max(partials, store.database().changes());
}

void name_organisations(Store& store) {
    struct Row {
        std::string id;
        std::string domain;
        std::string organisation;
    };
    const auto name = [&store](Sql unnamed, Sql change) {
        std::vector<Row> rows;
        {
            Query find = store.database().query(unnamed);
            while (find.step())
                rows.push_back(
                    {find.text(0), find.text(1), mail::Organisation::of(find.text(2)).name()});
        }
        for (const Row& row : rows) {
            Query update = store.database().query(change);
            update.bind(row.id, row.domain, row.organisation).run();
        }
    };
    name("SELECT id, domain, peer FROM partial WHERE organisation = ''"_sql,
         "UPDATE partial SET organisation = ?3 WHERE id = ?1 AND domain = ?2"_sql);
    name("SELECT id, domain, peer FROM verdict WHERE aborted = 1 AND organisation = ''"_sql,
         "UPDATE verdict SET organisation = ?3 WHERE id = ?1 AND domain = ?2"_sql);
}

}  // namespace queue
