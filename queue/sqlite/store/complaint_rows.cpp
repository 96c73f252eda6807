#include "queue/sqlite/store/complaint_rows.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "mail/address.hpp"
#include "mail/content.hpp"
#include "mail/organisation.hpp"
#include "queue/complaint.hpp"
#include "queue/sqlite/store/new_message.hpp"
#include "queue/sqlite/store/standings.hpp"

#include <algorithm>

namespace queue {
namespace {

constexpr std::size_t kTag = 8;  // octets

/// One more of this organisation; false: it has too many today.
bool take_share(Store& store, const mail::Domain& domain) {
    Query count = store.database().query(
        "INSERT INTO complaint_share (organisation, day, kept, taken) VALUES (?1, ?2, 1, 0)"
        " ON CONFLICT (organisation, day) DO UPDATE SET kept = kept + 1 WHERE kept < ?3"_sql);
    count
        .bind(mail::Organisation::of(domain.ascii()).name(), to_number(today_of(store)),
              kKeptOfOrganisation)
        .run();
    return store.database().changes() > 0;
}

void bind_blob(Query& query, int index, const std::string& bytes) {
    query->bind(index, bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace

std::string complaint_tag(const TransferKey& key, std::string_view text) {
    std::string all = key.id + " " + key.domain.ascii() + " ";
    all += text;
    const mail::Sha256 hash = mail::sha256(all);
    return {reinterpret_cast<const char*>(hash.data()), kTag};
}

std::string complaint_tag_of(const TransferKey& key, const mail::Mailbox& mailbox) {
    return complaint_tag(key,
                         base::to_lower(mailbox.local_part()) + "@" + mailbox.domain().ascii());
}

std::string complaint_tag_of_address(const TransferKey& key, std::string_view address) {
    const auto mailbox = mail::Mailbox::parse_loosely(address);
    if (!mailbox) return complaint_tag(key, base::to_lower(address));
    return complaint_tag_of(key, *mailbox);
}

void keep_received(Store& store, const Arrival& arrival) {
    const ReceivedTransfer& transfer = *arrival.transfer;
    const mail::Envelope& envelope = arrival.envelope;
    if (!store.settings().complaints.send || !take_share(store, transfer.key.domain)) return;
    const auto header = header_of(store, arrival);
    const std::string id = header ? header->message_id : std::string();
    const std::string mail = id.empty() ? id : complaint_tag(transfer.key, id);
    std::string recipients;
    recipients.reserve(kTag * envelope.recipients.size());
    for (const mail::Recipient& each : envelope.recipients)
        recipients += complaint_tag_of(transfer.key, each.address);
    Query insert = store.database().query(
        "INSERT OR IGNORE INTO received_transfer (id, domain, peer, component, at, mail,"
        " recipients, votes, told, due_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, NULL)"_sql);
    insert->bind(1, transfer.key.id);
    insert->bind(2, transfer.key.domain.ascii());
    insert->bind(3, transfer.peer);
    insert->bind(4, transfer.component);
    insert->bind(5, to_millis(store.now()));
    bind_blob(insert, 6, mail);
    bind_blob(insert, 7, recipients);
    insert.run();
}

void keep_sent(Store& store, QueueId message, std::uint32_t n, std::string_view sender,
               const std::string& towards) {
    if (!store.settings().complaints.take) return;
    Query insert = store.database().query(
        "INSERT OR IGNORE INTO sent_transfer (id, domain, peer, towards, sender, message, at, said,"
        " said_day) SELECT t.id, t.domain, t.peer, ?3, ?4, ?1, ?5, 0, 0 FROM recipient r"
        " JOIN transfer t ON t.number = r.transfer WHERE r.message = ?1 AND r.n = ?2"_sql);
    insert
        .bind(message.value, static_cast<std::int64_t>(n), towards, std::string(sender),
              to_millis(store.now()))
        .run();
}

int prune_complaints(Store& store) {
    if (!store.may_forget_verdicts()) return 0;
    const std::int64_t oldest = to_millis(store.now() - kComplaintTime);
    const std::int64_t today = to_number(today_of(store));
    const std::int64_t oldest_day = today - kComplaintTime / std::chrono::hours(24);
    const auto most = static_cast<std::int64_t>(base::limits::kPruned);
    int done = 0;
    // They come in the order of their numbers, so that the oldest are the first, and their number
    // is known without counting.
    for (const Sql sql :
         {"DELETE FROM received_transfer WHERE number IN (SELECT number FROM received_transfer"
          " WHERE number < 9223372036854775807 ORDER BY number LIMIT ?3) AND (at < ?1 OR number <="
          " (SELECT MAX(number) FROM received_transfer) - ?2)"_sql,
          "DELETE FROM sent_transfer WHERE number IN (SELECT number FROM sent_transfer"
          " WHERE number < 9223372036854775807 ORDER BY number LIMIT ?3) AND (at < ?1 OR number <="
          " (SELECT MAX(number) FROM sent_transfer) - ?2)"_sql}) {
        Query rows = store.database().query(sql);
        rows.bind(oldest, kComplaintRows, most).run();
        done = std::max(done, store.database().changes());
    }
    {
        Query votes = store.database().query(
            "DELETE FROM complaint_vote WHERE (transfer, recipient) IN"
            " (SELECT transfer, recipient FROM complaint_vote WHERE transfer < COALESCE("
            "(SELECT MIN(number) FROM received_transfer), 9223372036854775807)"
            " ORDER BY transfer LIMIT ?1)"_sql);
        votes.bind(most).run();
        done = std::max(done, store.database().changes());
    }
    struct Cut {
        Sql sql;
        std::int64_t day;
    };
    // Days to come were written while the clock was ahead, and believed.
    for (const Cut& cut :
         {Cut{"DELETE FROM sender_complaint WHERE (sender, domain, day) IN (SELECT sender, domain,"
              " day FROM sender_complaint WHERE day < ?1 ORDER BY day LIMIT ?2)"_sql,
              oldest_day},
          Cut{"DELETE FROM complaint_share WHERE (organisation, day) IN (SELECT organisation, day"
              " FROM complaint_share WHERE day < ?1 ORDER BY day LIMIT ?2)"_sql,
              oldest_day},
          Cut{"DELETE FROM sender_complaint WHERE (sender, domain, day) IN (SELECT sender, domain,"
              " day FROM sender_complaint WHERE day > ?1 ORDER BY day LIMIT ?2)"_sql,
              today},
          Cut{"DELETE FROM complaint_share WHERE (organisation, day) IN (SELECT organisation, day"
              " FROM complaint_share WHERE day > ?1 ORDER BY day LIMIT ?2)"_sql,
              today}}) {
        Query rows = store.database().query(cut.sql);
        rows.bind(cut.day, most).run();
        done = std::max(done, store.database().changes());
    }
    return done;
}

}  // namespace queue
