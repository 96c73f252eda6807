#include "queue/sqlite/admin/selection.hpp"

#include "queue/sqlite/store/damage.hpp"
#include "queue/sqlite/store/sql_functions.hpp"
#include "queue/sqlite/store/store.hpp"

#include <algorithm>

namespace queue {
namespace {

// Recipients that one step looks at: a few milliseconds.
constexpr std::size_t kLooks = 1000;
// What one on a damaged page counts for: a disk may take its time to say that it can't read it.
constexpr std::size_t kLooksOfDamage = 50;

std::int64_t bits_of(const std::vector<State>& states) {
    std::int64_t bits = 0;
    for (const State state : states)
        bits |= std::int64_t{1} << static_cast<int>(state);
    return bits == 0 ? 0xff : bits;
}

std::string at_domain(const std::string& domain) {
    return domain.empty() ? std::string() : folded_address("@" + domain);
}

class Walk {
  public:
    Walk(Database& database, const Selection& selection, std::size_t most, AtDamage at_damage)
        : database_(database), selection_(selection), most_(most), at_damage_(at_damage) {}

    /// Behind `after`, up to the message `last`. False if there may be more of it.
    bool go_on(const Selected& after, QueueId last) {
        at_ = after;
        for (;;) {
            try {
                return look(last, true, looks_);
            } catch (const SQLite::Exception& error) {
                if (at_damage_ == AtDamage::fail || !is_damage(error)) throw;
                look(last, false, 1);
                looks_ -= std::min(looks_, kLooksOfDamage);
                ++page_.unreadable;
            }
        }
    }

    /// `all`: nothing is left.
    SelectedPage page(bool all) {
        if (all) page_.next.reset();
        return std::move(page_);
    }

  private:
    /// At so many rows. Without the messages nothing is known of them.
    bool look(QueueId last, bool with_messages, std::size_t rows) {
        if (looks_ == 0 || page_.found.size() >= most_) return false;
        // Of what has not ended, the index has the order of the walk, so that SQLite sorts nothing
        // and looks at no more rows than it gives.
        Query find = database_.query(
            "SELECT r.message, r.n, r.state, (?4 & (1 << r.state)) <> 0"
            " AND (?5 = 0 OR d.lane = ?5) AND (?6 = '' OR folded_address(r.address) = ?6)"
            " AND (?7 = '' OR folded_address(m.sender) = ?7)"
            " AND (?8 = '' OR substr(folded_address(r.address), -length(?8)) = ?8"
            "      OR folded_address('@' || d.domain) = ?8)"
            " AND (?9 = '' OR substr(folded_address(m.sender), -length(?9)) = ?9)"
            " AND COALESCE(m.received_at, r.message / 1000) < ?10"
            " AND COALESCE(m.received_at, r.message / 1000) > ?11"
            " FROM recipient r LEFT JOIN message m ON m.id = iif(?13, r.message, NULL)"
            " LEFT JOIN destination d ON d.id = r.destination"
            " WHERE r.ended_at IS NULL AND (r.message, r.n) > (?1, ?2) AND r.message <= ?3"
            " ORDER BY r.message, r.n LIMIT ?12"_sql);
        bind(find, last, with_messages, rows);
        while (find.step()) {
            --looks_;
            const Selected at{QueueId{find.integer(0)}, static_cast<std::uint32_t>(find.integer(1)),
                              static_cast<State>(find.integer(2))};
            page_.next = at_ = at;
            if (find.integer(3) != 0) page_.found.push_back(at);
            if (looks_ == 0 || page_.found.size() >= most_) return false;
        }
        return true;
    }

    void bind(Query& find, QueueId last, bool with_messages, std::size_t rows) const {
        find.bind(at_.message.value, static_cast<std::int64_t>(at_.n), last.value,
                  bits_of(selection_.states),
                  selection_.lane ? static_cast<int>(*selection_.lane) : 0,
                  folded_address(selection_.to), folded_address(selection_.from),
                  at_domain(selection_.domain), at_domain(selection_.sender_domain),
                  selection_.before ? to_millis(*selection_.before) : INT64_MAX,
                  selection_.after ? to_millis(*selection_.after) : INT64_MIN,
                  static_cast<std::int64_t>(rows), with_messages ? 1 : 0);
    }

    Database& database_;
    const Selection& selection_;
    std::size_t most_;
    AtDamage at_damage_;
    std::size_t looks_ = kLooks;
    Selected at_;
    SelectedPage page_;
};

}  // namespace

SelectedPage select(Database& database, const Selection& selection,
                    const std::optional<Selected>& after, std::size_t most, AtDamage at_damage) {
    Walk walk(database, selection, most, at_damage);
    const Selected start{QueueId{0}, UINT32_MAX, State::queued};
    if (selection.ids.empty())
        return walk.page(walk.go_on(after.value_or(start), QueueId{INT64_MAX}));
    std::vector<QueueId> ids = selection.ids;
    std::ranges::sort(ids);
    for (const QueueId id : ids) {
        if (after && id < after->message) continue;
        const bool goes_on = after && id == after->message;
        const Selected before{QueueId{id.value - 1}, UINT32_MAX, State::queued};
        if (!walk.go_on(goes_on ? *after : before, id)) return walk.page(false);
    }
    return walk.page(true);
}

}  // namespace queue
