#include "queue/sqlite/store/new_message.hpp"

#include "base/limits.hpp"
#include "mail/header_scanner.hpp"
#include "queue/mail_class.hpp"
#include "queue/sqlite/store/rows.hpp"

namespace queue {
namespace {

base::Result<void> insert_content(Store& store, QueueId id, const Arrival& arrival) {
    const Content& content = arrival.content;
    Query insert =
        store.database().query("INSERT INTO content (message, bytes) VALUES (?1, ?2)"_sql);
    insert->bind(1, id.value);
    if (arrival.file || content.size() > base::limits::kInlineContent) {
        auto written = arrival.file
                           ? store.files().adopt(id, store.spool(), *arrival.file, content.size())
                           : store.files().write(id, content.bytes());
        if (!written) return written;
        store.if_undone([&store, id] { store.files().remove(id); });
        insert->bind(2);  // NULL: it is in the file
    } else {
        insert->bindNoCopy(2, content.bytes().data(), static_cast<int>(content.size()));
    }
    insert.run();
    return {};
}

/// As much as a header is looked at, and one byte more, which shows that it may go on.
base::Result<mail::Content> beginning_of(Store& store, const Arrival& arrival) {
    constexpr std::size_t kBeginning = base::limits::kHeader + 1;
    const Content& content = arrival.content;
    if (content.is_in_memory()) return mail::Content(nullptr, content.bytes());
    const auto file = store.spool().file(arrival.file.value(), content.size());
    if (!file) return file.error();
    auto bytes = (*file)->read(0, kBeginning);
    if (!bytes) return bytes.error();
    return mail::Content(std::move(*bytes));
}

void insert_recipients(Store& store, QueueId id, const Arrival& arrival, MailClass of) {
    for (std::size_t i = 0; i < arrival.envelope.recipients.size(); ++i) {
        const mail::Recipient& recipient = arrival.envelope.recipients[i];
        const std::int64_t destination = store.number_of(arrival.destinations.at(i));
        Query insert = store.database().query(
            "INSERT INTO recipient (message, n, destination, address, notify, orcpt, state, "
            "attempts, due_at, class)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, {queued}, 0, ?7, ?8)"_sql);
        insert
            .bind(id.value, static_cast<std::int64_t>(recipient.n), destination,
                  recipient.address.text(), notify_bits(recipient.notify), recipient.orcpt,
                  to_millis(store.now()), static_cast<int>(of))
            .run();
    }
}

}  // namespace

base::Result<mail::HeaderSummary> header_of(Store& store, const Arrival& arrival) {
    if (arrival.header) return *arrival.header;
    const auto beginning = beginning_of(store, arrival);
    if (!beginning) return beginning.error();
    return mail::summarize_header(beginning->bytes());
}

base::Result<QueueId> insert_message(Store& store, const Arrival& arrival, PeerClass sender) {
    const QueueId id = store.next_id();
    const base::TimePoint now = store.latest_now();
    const base::TimePoint expires =
        arrival.expires_at.value_or(now + store.settings().expire_after);
    auto summary = header_of(store, arrival);
    if (!summary) return summary.error();
    const mail::HeaderSummary header = std::move(*summary);
    const mail::Envelope& envelope = arrival.envelope;
    const Origin& origin = arrival.origin;
    {
        Query insert = store.database().query(
            "INSERT INTO message (id, received_at, expires_at, sender, body, smtputf8, requiretls, "
            "ret, envid,"
            " origin_kind, origin_client, origin_helo, origin_domain, origin_transfer, "
            "origin_component,"
            " size, message_id, header_from, pending, header_size, origin_class)"
            " VALUES "
            "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21)"_sql);
        insert
            .bind(id.value, to_millis(now), to_millis(expires),
                  std::string(mail::to_text(envelope.from)), static_cast<int>(envelope.body),
                  static_cast<int>(envelope.smtputf8), static_cast<int>(envelope.requiretls),
                  static_cast<int>(envelope.ret), envelope.envid, static_cast<int>(origin.kind),
                  origin.client, origin.helo,
                  origin.transfer ? origin.transfer->domain.ascii() : std::string(),
                  origin.transfer ? origin.transfer->id : std::string(), origin.component,
                  static_cast<std::int64_t>(arrival.content.size()), header.message_id, header.from,
                  static_cast<std::int64_t>(envelope.recipients.size()),
                  static_cast<std::int64_t>(header.returned), static_cast<int>(sender))
            .run();
    }
    if (auto stored = insert_content(store, id, arrival); !stored) return stored.error();
    insert_recipients(
        store, id, arrival,
        classify(header, arrival.content.size(), envelope.recipients.size(), arrival.priority));
    return id;
}

}  // namespace queue
