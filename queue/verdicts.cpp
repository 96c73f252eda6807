#include "queue/verdicts.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "queue/receiving.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace queue {
namespace {

using Known = KnownTransfer::State;

// When there is no room for another one, those go for which nothing has come for so long.
constexpr auto kIdleWhenFull = std::chrono::hours(1);
constexpr int kOpenOfPeer = 16;  // transfers that one peer may have open at once ...
constexpr int kOpen = 1000;      // ... and all peers together
constexpr int kCallbacksOfPeer =
    1000;  // unknown keys that one peer may have called back, to be kept ...
constexpr int kCallbacks = 20000;  // ... and all peers together

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
    return to_millis(std::min<base::TimePoint>(expires, store.now() + base::limits::kRetention));
}

struct PartialRow {
    QueueId file;
    KnownTransfer known;
};

std::optional<PartialRow> find_partial(Store& store, const TransferKey& key) {
    Query find = store.database().query(
        "SELECT digest, peer, file, size, offset FROM partial WHERE id = ?1 AND domain = ?2");
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
    Query remove =
        store.database().query("DELETE FROM partial WHERE id = ?1 AND domain = ?2 RETURNING file");
    if (!remove.bind(key.id, key.domain.ascii()).step()) return;
    const QueueId file{remove.integer(0)};
    store.after_commit([&store, file] { store.spool().remove(file); });
}

/// Whether another one may be added to what the two queries count.
bool has_room(Store& store, const char* of_peer, const std::string& peer, int most_of_peer,
              const char* all, int most) {
    {
        Query count = store.database().query(of_peer);
        count.bind(peer).step();
        if (count.integer(0) >= most_of_peer) return false;
    }
    Query count = store.database().query(all);
    count.step();
    return count.integer(0) < most;
}

/// Room for one more open transfer: in number, and on the disk, of which what is still arriving
/// takes no more than half, so that a peer that only ever opens shuts no door.
base::Result<void> check_room(Store& store, const Opening& opening) {
    if (!has_room(store, "SELECT COUNT(*) FROM partial WHERE peer = ?1", opening.peer, kOpenOfPeer,
                  "SELECT COUNT(*) FROM partial", kOpen))
        return base::fail(base::Errc::busy, "too many transfers are open");
    Query sum = store.database().query("SELECT COALESCE(SUM(size), 0) FROM partial");
    sum.step();
    const auto kept = static_cast<std::size_t>(sum.integer(0));
    const auto size = static_cast<std::size_t>(opening.size);
    // Their room is taken already, so that as much again has to be free for all else.
    const auto space = store.check_space(kept + 2 * size);
    if (space) return {};
    // No fault of the storage, which would be logged each time: the peer has to wait.
    return base::fail(base::Errc::busy, "no room for another open transfer");
}

/// Takes away open transfers that have expired, or got nothing since `since`; how many.
int forget_partials(Store& store, base::TimePoint since) {
    std::vector<QueueId> files;
    {
        Query partials = store.database().query(
            "DELETE FROM partial WHERE (id, domain) IN (SELECT id, domain FROM partial"
            " WHERE expires_at < ?1 OR touched_at < ?2 LIMIT ?3) RETURNING file");
        partials.bind(to_millis(store.now()), to_millis(since),
                      static_cast<std::int64_t>(base::limits::kPruned));
        while (partials.step())
            files.push_back(QueueId{partials.integer(0)});
    }
    for (const QueueId file : files)
        store.after_commit([&store, file] { store.spool().remove(file); });
    return static_cast<int>(files.size());
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
            " WHERE id = ?1 AND domain = ?2");
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
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
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
    const Turn turn = open(known, opening);
    if (turn == Turn::conflict) return conflict(opening.key);
    if (turn == Turn::same) return known;
    auto room = check_room(store, opening);
    if (!room && forget_partials(store, store.now() - kIdleWhenFull) > 0)
        room = check_room(store, opening);
    if (!room) return room.error();
    const auto size = static_cast<std::size_t>(opening.size);
    const QueueId file = store.next_id();
    if (auto created = store.spool().create(file, size); !created) return created.error();
    store.if_undone([&store, file] { store.spool().remove(file); });
    Query insert = store.database().query(
        "INSERT INTO partial (id, domain, digest, peer, file, size, offset, expires_at, touched_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8)");
    insert->bind(1, opening.key.id);
    insert->bind(2, opening.key.domain.ascii());
    insert->bind(3, opening.digest.data(), static_cast<int>(opening.digest.size()));
    insert->bind(4, opening.peer);
    insert->bind(5, file.value);
    insert->bind(6, static_cast<std::int64_t>(opening.size));
    insert->bind(7, kept_until(store, opening.expires));
    insert->bind(8, to_millis(store.now()));
    insert.run();
    return known;
}

base::Result<KnownTransfer> add_piece(Store& store, const Piece& piece) {
    auto row = find_partial(store, piece.key);
    if (!row) return base::fail(base::Errc::not_found, "the transfer is not open");
    switch (add(row->known, piece.peer, piece.offset, piece.bytes.size())) {
        case Turn::changed:
            break;
        case Turn::too_long:
            return base::fail(base::Errc::limit, "the chunk goes beyond the announced size");
        case Turn::not_open:
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
        "UPDATE partial SET offset = ?3, touched_at = ?4 WHERE id = ?1 AND domain = ?2");
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
    auto content = store.spool().read(row->file, static_cast<std::size_t>(row->known.size));
    if (!content) return content.error();
    return TransferBook::Complete{std::move(*content), row->file};
}

base::Result<KnownTransfer> call_transfer_back(Store& store, const Recall& recall) {
    const TransferKey& key = recall.key;
    const std::string& peer = recall.peer;
    KnownTransfer known = find_transfer(store, key);
    const bool was_unknown = known.state == Known::unknown;
    const Turn turn = call_back(known, recall);
    if (turn == Turn::conflict) return conflict(key);
    if (turn == Turn::same) return known;
    if (was_unknown &&
        !has_room(store, "SELECT COUNT(*) FROM verdict WHERE aborted = 1 AND peer = ?1", peer,
                  kCallbacksOfPeer, "SELECT COUNT(*) FROM verdict WHERE aborted = 1", kCallbacks))
        return base::fail(base::Errc::busy, "too many transfers were called back");
    if (auto space = store.check_space(0); !space) return space.error();
    remove_partial(store, key);
    Query insert = store.database().query(
        "INSERT INTO verdict (id, domain, digest, peer, verdicts, expires_at, aborted)"
        " VALUES (?1, ?2, x'', ?3, '', ?4, ?5)");
    insert
        .bind(key.id, key.domain.ascii(), peer, kept_until(store, recall.expires),
              was_unknown ? 1 : 2)
        .run();
    return known;
}

int prune_transfers(Store& store) {
    const int partials = forget_partials(store, store.now() - base::limits::kPartialIdle);
    Query verdicts = store.database().query(
        "DELETE FROM verdict WHERE (id, domain) IN"
        " (SELECT id, domain FROM verdict WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)");
    verdicts
        .bind(to_millis(store.now() - base::limits::kVerdictGrace),
              static_cast<std::int64_t>(base::limits::kPruned))
        .run();
    return std::max(partials, store.database().changes());
}

}  // namespace queue
