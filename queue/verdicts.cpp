#include "queue/verdicts.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace queue {

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

std::optional<StoredVerdict> find_verdict(Store& store, const TransferKey& key) {
    Query find = store.database().query(
        "SELECT digest, peer, message, verdicts FROM verdict WHERE id = ?1 AND domain = ?2");
    if (!find.bind(key.id, key.domain.ascii()).step()) return std::nullopt;
    StoredVerdict stored;
    const SQLite::Column digest = find->getColumn(0);
    if (static_cast<std::size_t>(digest.getBytes()) == stored.digest.size()) {
        const auto* const bytes = static_cast<const std::uint8_t*>(digest.getBlob());
        std::copy_n(bytes, stored.digest.size(), stored.digest.begin());
    }
    stored.peer = find.text(1);
    if (!find.is_null(2)) stored.queue_id = QueueId{find.integer(2)};
    auto verdicts = decode_verdicts(find.text(3));
    if (!verdicts) throw SQLite::Exception(verdicts.error().text);
    stored.verdicts = std::move(*verdicts);
    return stored;
}

void insert_verdict(Store& store, const ReceivedTransfer& transfer,
                    std::optional<QueueId> message) {
    Query insert = store.database().query(
        "INSERT INTO verdict (id, domain, digest, peer, message, verdicts, expires_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    insert->bind(1, transfer.key.id);
    insert->bind(2, transfer.key.domain.ascii());
    insert->bind(3, transfer.digest.data(), static_cast<int>(transfer.digest.size()));
    insert->bind(4, transfer.peer);
    if (message) insert->bind(5, message->value);
    insert->bind(6, encode_verdicts(transfer.verdicts));
    // However far ahead a peer's clock is: what lies beyond the retention was refused, and need not
    // be kept.
    insert->bind(7, to_millis(std::min<base::TimePoint>(transfer.expires,
                                                        store.now() + base::limits::kRetention)));
    insert.run();
}

}  // namespace queue
