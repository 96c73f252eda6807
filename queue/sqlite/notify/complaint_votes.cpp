#include "queue/sqlite/notify/complaint_votes.hpp"

#include "queue/log.hpp"
#include "queue/sqlite/store/complaint_rows.hpp"
#include "queue/sqlite/store/standings.hpp"

namespace queue {
namespace {

/// What has been told of a transfer. Stored as numbers.
enum class Told : std::uint8_t { nothing = 0, spam = 1, not_spam = 2 };

struct ReceivedRow {
    std::int64_t number = 0;
    std::string mail;
    std::string recipients;
    std::int64_t votes = 0;
    Told told = Told::nothing;
    bool is_due = false;
};

base::Result<ReceivedRow> find_received(Store& store, const TransferKey& key) {
    Query find = store.database().query(
        "SELECT number, mail, recipients, votes, told, due_at, at FROM received_transfer"
        " WHERE id = ?1 AND domain = ?2"_sql);
    if (!find.bind(key.id, key.domain.ascii()).step() ||
        from_millis(find.integer(6)) + kComplaintTime < store.now())
        return base::fail(base::Errc::not_found, "no mail of the last 30 days came from " +
                                                     key.domain.ascii() + " as " + key.id);
    return ReceivedRow{find.integer(0),
                       find.text(1),
                       find.text(2),
                       find.integer(3),
                       static_cast<Told>(find.integer(4)),
                       !find.is_null(5)};
}

/// The first of them that got the mail, and its tag.
std::optional<std::pair<std::string, std::string>> recipient_of(const ReceivedRow& row,
                                                                const CastVote& vote) {
    for (const std::string& address : vote.recipients) {
        std::string tag = complaint_tag_of_address(vote.key, address);
        for (std::size_t at = 0; at < row.recipients.size(); at += tag.size()) {
            if (row.recipients.compare(at, tag.size(), tag) == 0)
                return std::pair(address, std::move(tag));
        }
    }
    return std::nullopt;
}

/// The day on which this recipient's vote was counted; nothing: it has none now.
std::optional<std::chrono::sys_days> vote_of(Store& store, std::int64_t transfer,
                                             const std::string& tag) {
    Query find = store.database().query(
        "SELECT day FROM complaint_vote WHERE transfer = ?1 AND recipient = ?2 AND is_spam = 1"_sql);
    find->bind(1, transfer);
    find->bind(2, tag.data(), static_cast<int>(tag.size()));
    if (!find.step()) return std::nullopt;
    return to_day(find.integer(0));
}

void put_vote(Store& store, std::int64_t transfer, const std::string& tag, bool is_spam) {
    Query put = store.database().query(
        "INSERT INTO complaint_vote (transfer, recipient, is_spam, day) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (transfer, recipient) DO UPDATE SET is_spam = ?3, day = ?4"_sql);
    put->bind(1, transfer);
    put->bind(2, tag.data(), static_cast<int>(tag.size()));
    put->bind(3, is_spam ? 1 : 0);
    put->bind(4, to_number(today_of(store)));
    put.run();
}

/// What is told goes forward: nothing, spam, and then that it is not, after which no vote is told.
bool has_something_to_tell(Told told, std::int64_t votes) {
    return (told == Told::nothing && votes > 0) || (told == Told::spam && votes == 0);
}

void put_votes(Store& store, const ReceivedRow& row, std::int64_t votes) {
    const bool is_due = has_something_to_tell(row.told, votes);
    Query put = store.database().query(
        "UPDATE received_transfer SET votes = ?2,"
        " due_at = CASE ?3 WHEN 0 THEN NULL ELSE COALESCE(due_at, ?4) END WHERE number = ?1"_sql);
    put.bind(row.number, votes, is_due ? 1 : 0, to_millis(store.now())).run();
}

}  // namespace

base::Result<Voted> cast_vote(Store& store, const CastVote& vote) {
    const auto row = find_received(store, vote.key);
    if (!row) return row.error();
    if (!row->mail.empty() && row->mail != complaint_tag(vote.key, vote.message_id))
        return base::fail(base::Errc::refused,
                          "transfer " + vote.key.id + " brought another mail than this one");
    const auto whose = recipient_of(*row, vote);
    if (!whose)
        return base::fail(base::Errc::not_found,
                          "none of those that this mail names was its recipient");
    const auto& [address, tag] = *whose;
    const auto counted = vote_of(store, row->number, tag);
    Voted voted{address, counted.has_value() != vote.is_spam, vote.key.domain.ascii()};
    if (!voted.counted) return voted;
    put_vote(store, row->number, tag, vote.is_spam);
    put_votes(store, *row, row->votes + (vote.is_spam ? 1 : -1));
    if (vote.is_spam)
        count_for_peer(store, vote.key.domain, PeerFigures{0, 0, 0, 0, 1});
    else
        take_back_complaint(store, vote.key.domain, *counted);
    return voted;
}

}  // namespace queue
