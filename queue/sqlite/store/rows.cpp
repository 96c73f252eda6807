#include "queue/sqlite/store/rows.hpp"

namespace queue {
namespace {

base::Error damaged(QueueId id, const std::string& why) {
    return base::fail(base::Errc::damaged, "message " + id.to_text() + " is damaged: " + why);
}

constexpr std::size_t kPiece = 256u << 10;  // bytes of a content that are read at a time

/// Where a content is.
struct Found {
    std::shared_ptr<const ContentFile> file;
    mail::Content bytes;  ///< if there is no file
};

base::Result<Found> find_content(Store& store, QueueId id, std::size_t size) {
    Query find = store.database().query("SELECT bytes FROM content WHERE message = ?1"_sql);
    if (!find.bind(id.value).step()) return damaged(id, "its content is gone");
    if (find.is_null(0)) {
        auto file = store.files().file(id, size);
        if (!file) return file.error();
        return Found{std::move(*file), {}};
    }
    const SQLite::Column bytes = find->getColumn(0);
    if (static_cast<std::size_t>(bytes.getBytes()) != size)
        return damaged(id, "its content has another size");
    return Found{nullptr,
                 mail::Content(std::string(static_cast<const char*>(bytes.getBlob()), size))};
}

}  // namespace

int notify_bits(const mail::Notify& notify) {
    return int(notify.never) | int(notify.success) << 1 | int(notify.failure) << 2 |
           int(notify.delay) << 3;
}

mail::Notify notify_from_bits(std::int64_t bits) {
    return {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
}

base::Result<MessageRow> read_message(Database& database, QueueId id) {
    Query find = database.query(
        "SELECT sender, body, smtputf8, requiretls, ret, envid, origin_kind, origin_client, "
        "origin_helo,"
        " origin_domain, origin_transfer, origin_component, received_at, expires_at, size,"
        " header_size, crashes, pending"
        " FROM message WHERE id = ?1"_sql);
    if (!find.bind(id.value).step()) return damaged(id, "it has recipients, but no row of its own");
    MessageRow row;
    row.id = id;
    if (const std::string sender = find.text(0); !sender.empty()) {
        auto from = mail::Mailbox::parse_loosely(sender);
        if (!from) return damaged(id, from.error().text);
        row.envelope.from = std::move(*from);
    }
    row.envelope.body = static_cast<mail::Body>(find.integer(1));
    row.envelope.smtputf8 = find.integer(2) != 0;
    row.envelope.requiretls = find.integer(3) != 0;
    row.envelope.ret = static_cast<mail::Ret>(find.integer(4));
    row.envelope.envid = find.text(5);
    row.origin.kind = static_cast<Origin::Kind>(find.integer(6));
    row.origin.client = find.text(7);
    row.origin.helo = find.text(8);
    if (const std::string domain = find.text(9); !domain.empty()) {
        auto parsed = mail::Domain::parse(domain);
        if (!parsed) return damaged(id, parsed.error().text);
        row.origin.transfer = TransferKey{std::move(*parsed), find.text(10)};
    }
    row.origin.component = find.text(11);
    row.received_at = from_millis(find.integer(12));
    row.expires_at = from_millis(find.integer(13));
    row.size = static_cast<std::size_t>(find.integer(14));
    row.header_size = static_cast<std::size_t>(find.integer(15));
    row.crashes = static_cast<int>(find.integer(16));
    row.pending = static_cast<int>(find.integer(17));
    return row;
}

base::Result<Content> read_content(Store& store, QueueId id, std::size_t size) {
    auto found = find_content(store, id, size);
    if (!found) return found.error();
    if (found->file) return store.content_reader().content(std::move(found->file));
    return Content(std::move(found->bytes));
}

base::Result<mail::Content> read_beginning(Store& store, QueueId id, std::size_t size,
                                           std::size_t most) {
    const auto found = find_content(store, id, size);
    if (!found) return found.error();
    if (!found->file) return found->bytes.slice(0, most);
    auto bytes = found->file->read(0, most);
    if (!bytes) return bytes.error();
    return mail::Content(std::move(*bytes));
}

base::Result<void> read_through(Store& store, QueueId id, std::size_t size,
                                const std::function<void(std::string_view)>& take) {
    const auto found = find_content(store, id, size);
    if (!found) return found.error();
    if (!found->file) take(found->bytes.bytes());
    for (std::size_t at = 0; found->file && at < size; at += kPiece) {
        const auto piece = found->file->read(at, kPiece);
        if (!piece) return piece.error();
        take(*piece);
    }
    return {};
}

base::Result<mail::Recipient> to_recipient(std::int64_t n, const std::string& address,
                                           std::int64_t notify, std::string orcpt) {
    auto mailbox = mail::Mailbox::parse_loosely(address);
    if (!mailbox)
        return base::fail(base::Errc::damaged, "a recipient is damaged: " + mailbox.error().text);
    return mail::Recipient{static_cast<std::uint32_t>(n), std::move(*mailbox),
                           notify_from_bits(notify), std::move(orcpt)};
}

base::Result<void> check_recipients(Store& store, QueueId message,
                                    const std::vector<std::uint32_t>& recipients) {
    for (const std::uint32_t n : recipients) {
        Query find = store.database().query(
            "SELECT address, notify, orcpt FROM recipient WHERE message = ?1 AND n = ?2"_sql);
        if (!find.bind(message.value, static_cast<std::int64_t>(n)).step()) continue;
        const auto read = to_recipient(n, find.text(0), find.integer(1), find.text(2));
        if (!read) return read.error();
    }
    return {};
}

bool was_sent(Store& store, QueueId message, std::uint32_t n) {
    Query find = store.database().query(
        "SELECT t.sends FROM recipient r JOIN transfer t ON t.number = r.transfer"
        " WHERE r.message = ?1 AND r.n = ?2"_sql);
    return find.bind(message.value, static_cast<std::int64_t>(n)).step() && find.integer(0) > 0;
}

Deferred last_word(Store& store, QueueId message, std::uint32_t n) {
    Deferred last{{451, {4, 4, 7}, "no attempt was made"}, "", false, {}};
    Query find = store.database().query(
        "SELECT code, status, reply, remote FROM recipient WHERE message = ?1 AND n = ?2"_sql);
    if (!find.bind(message.value, static_cast<std::int64_t>(n)).step() || find.is_null(0))
        return last;
    if (const auto status = mail::EnhancedStatus::parse(find.text(1)))
        last.reply = {static_cast<int>(find.integer(0)), *status, find.text(2)};
    last.remote = find.text(3);
    return last;
}

void add_event(Store& store, QueueId message, std::optional<std::uint32_t> n, const char* what,
               const std::string& detail) {
    Query insert = store.database().query(
        "INSERT INTO event (message, at, n, what, detail) VALUES (?1, ?2, ?3, ?4, ?5)"_sql);
    insert->bind(1, message.value);
    insert->bind(2, to_millis(store.now()));
    if (n) insert->bind(3, static_cast<std::int64_t>(*n));
    insert->bind(4, what);
    insert->bind(5, detail);
    insert.run();
}

}  // namespace queue
