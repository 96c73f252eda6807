#include "queue/selection.hpp"

#include "queue/sql_functions.hpp"

#include <algorithm>

namespace queue {
namespace {

/// A message that lives has a row in `content`. Of that table, and of each message's recipients,
/// the order is that of the walk, so that SQLite sorts nothing.
constexpr const char* kWalk =
    "SELECT r.message, r.n, r.state FROM content c CROSS JOIN recipient r ON r.message = c.message"
    " LEFT JOIN message m ON m.id = r.message JOIN destination d ON d.id = r.destination"
    " WHERE c.message BETWEEN MAX(?1, ?2) AND CASE ?1 WHEN 0 THEN 9223372036854775807 ELSE ?1 END"
    " AND (c.message > ?2 OR r.n > ?3) AND r.state < 5 AND (?4 & (1 << r.state)) <> 0"
    " AND (?5 = 0 OR d.lane = ?5) AND (?6 = '' OR folded_address(r.address) = ?6)"
    " AND (?7 = '' OR folded_address(m.sender) = ?7)"
    " AND (?8 = '' OR substr(folded_address(r.address), -length(?8)) = ?8"
    "      OR folded_address('@' || d.domain) = ?8)"
    " AND (?9 = '' OR substr(folded_address(m.sender), -length(?9)) = ?9)"
    " AND COALESCE(m.received_at, r.message / 1000) < ?10"
    " AND COALESCE(m.received_at, r.message / 1000) > ?11"
    " ORDER BY c.message, r.n LIMIT ?12";

std::int64_t bits_of(const std::vector<State>& states) {
    std::int64_t bits = 0;
    for (const State state : states)
        bits |= std::int64_t{1} << static_cast<int>(state);
    return bits == 0 ? 0xff : bits;
}

std::string at_domain(const std::string& domain) {
    return domain.empty() ? std::string() : folded_address("@" + domain);
}

void walk(Database& database, const Selection& selection, QueueId id, const Selected& after,
          std::size_t most, std::vector<Selected>& found) {
    Query find = database.query(kWalk);
    find.bind(id.value, after.message.value, static_cast<std::int64_t>(after.n),
              bits_of(selection.states), selection.lane ? static_cast<int>(*selection.lane) : 0,
              folded_address(selection.to), folded_address(selection.from),
              at_domain(selection.domain), at_domain(selection.sender_domain),
              selection.before ? to_millis(*selection.before) : INT64_MAX,
              selection.after ? to_millis(*selection.after) : INT64_MIN,
              static_cast<std::int64_t>(most - found.size()));
    while (find.step())
        found.push_back({QueueId{find.integer(0)}, static_cast<std::uint32_t>(find.integer(1)),
                         static_cast<State>(find.integer(2))});
}

}  // namespace

bool Selection::is_everything() const {
    return ids.empty() && states.empty() && !lane && to.empty() && from.empty() && domain.empty() &&
           sender_domain.empty() && !before && !after;
}

std::vector<Selected> select(Database& database, const Selection& selection,
                             const std::optional<Selected>& after, std::size_t most) {
    std::vector<Selected> found;
    // Recipients are numbered from 0, so the place before all of them is -1 of nothing.
    const Selected start{QueueId{0}, 0, State::queued};
    if (selection.ids.empty()) {
        walk(database, selection, QueueId{0}, after.value_or(start), most, found);
        return found;
    }
    std::vector<QueueId> ids = selection.ids;
    std::ranges::sort(ids);
    for (const QueueId id : ids) {
        if (found.size() >= most || (after && id < after->message)) continue;
        const bool goes_on = after && id == after->message;
        walk(database, selection, id, goes_on ? *after : start, most, found);
    }
    return found;
}

}  // namespace queue
