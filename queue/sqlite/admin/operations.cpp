#include "queue/sqlite/admin/operations.hpp"

#include "base/limits.hpp"
#include "mail/xmpp_fit.hpp"
#include "queue/log.hpp"
#include "queue/sqlite/delivery/settlement.hpp"
#include "queue/sqlite/store/rows.hpp"

#include <array>
#include <map>
#include <utility>

namespace queue {
namespace {

constexpr std::size_t kRefusals = 20;  // lines of one step that say why

bool is_for(Verb verb, State state) {
    const bool waits = state == State::queued || state == State::deferred;
    switch (verb) {
        case Verb::flush:
        case Verb::hold:
        case Verb::retry:
            return waits;
        case Verb::release:
            return state == State::held;
        case Verb::cancel:
        case Verb::bounce:
            return waits || state == State::held;
    }
    return false;
}

/// One message's recipients that the step has found.
struct Part {
    QueueId message;
    std::vector<std::uint32_t> numbers;
};

class Operating {
  public:
    Operating(Store& store, Verb verb, Operated& result)
        : store_(store), verb_(verb), result_(result) {}

    base::Result<void> work_on(const Part& part) {
        message_ = part.message;
        switch (verb_) {
            case Verb::flush:
                for (const auto n : part.numbers)
                    set(n, "UPDATE recipient SET due_at = ?3 WHERE message = ?1 AND n = ?2"_sql,
                        "");
                break;
            case Verb::hold:
                for (const auto n : part.numbers)
                    set(n,
                        "UPDATE recipient SET state = {held}, due_at = MAX(due_at, ?3)"
                        " WHERE message = ?1 AND n = ?2"_sql,
                        "held");
                break;
            case Verb::release:
                if (auto released = release(part); !released) return released;
                break;
            case Verb::retry:
                if (auto routed = retry(part); !routed) return routed;
                break;
            case Verb::cancel:
            case Verb::bounce:
                if (auto ended = end(part); !ended) return ended;
                break;
        }
        store_.after_commit([id = part.message, verb = verb_, count = part.numbers.size()] {
            log::operated(id, to_text(verb), count);
        });
        return {};
    }

  private:
    void set(std::uint32_t n, Sql sql, const char* event) {
        {
            Query update = store_.database().query(sql);
            update.bind(message_.value, static_cast<std::int64_t>(n), to_millis(store_.now()))
                .run();
        }
        if (*event != '\0') add_event(store_, message_, n, event, "by the administrator");
        ++result_.changed;
        if (verb_ != Verb::hold) touch(n);
    }

    /// Its destination has something to do.
    void touch(std::uint32_t n) {
        Query find = store_.database().query(
            "SELECT destination FROM recipient WHERE message = ?1 AND n = ?2"_sql);
        if (!find.bind(message_.value, static_cast<std::int64_t>(n)).step()) return;
        const std::int64_t number = find.integer(0);
        auto known = destinations_.find(number);
        if (known == destinations_.end())
            known = destinations_.emplace(number, store_.destination(number)).first;
        add_all(result_.touched, {known->second});
    }

    void refuse(const std::string& why) {
        if (result_.refused.size() < kRefusals)
            result_.refused.push_back(message_.to_text() + ": " + why);
    }

    /// A message is in quarantine as a whole, and leaves it so: its other recipients would stay
    /// held, and nobody would tell their sender any more.
    Part whole_if_damaged(const Part& part) {
        Part whole{part.message, {}};
        Query held = store_.database().query(
            "SELECT r.n FROM message m JOIN recipient r ON r.message = m.id"
            " WHERE m.id = ?1 AND m.damage IS NOT NULL AND r.state = {held} ORDER BY r.n"_sql);
        held.bind(part.message.value);
        while (held.step())
            whole.numbers.push_back(static_cast<std::uint32_t>(held.integer(0)));
        return whole.numbers.empty() ? part : whole;
    }

    base::Result<void> release(const Part& chosen) {
        const Part part = whole_if_damaged(chosen);
        auto sound = look_through(part);
        if (!sound && sound.error().code != base::Errc::damaged) return sound;
        if (!sound) {
            refuse(sound.error().text);
            result_.other += static_cast<std::int64_t>(part.numbers.size());
            return {};
        }
        {
            Query clear =
                store_.database().query("UPDATE message SET damage = NULL WHERE id = ?1"_sql);
            clear.bind(message_.value).run();
        }
        for (const auto n : part.numbers)
            set(n,
                "UPDATE recipient SET state = {queued}, due_at = ?3 WHERE message = ?1 AND n = ?2"_sql,
                "released");
        return {};
    }

    /// Errc::damaged if it would only go to quarantine again.
    base::Result<void> look_through(const Part& part) {
        const auto row = read_message(store_, message_);
        if (!row) return row.error();
        const auto content = read_content(store_, message_, row->size);
        if (!content) return content.error();
        return check_recipients(store_, message_, part.numbers);
    }

    base::Result<void> retry(const Part& part) {
        const auto row = read_message(store_, message_);
        if (!row && row.error().code != base::Errc::damaged) return row.error();
        for (const auto n : part.numbers) {
            if (row && row->origin.kind == Origin::Kind::smtp && !was_sent(store_, message_, n))
                route_anew(n, *row);
            set(n,
                "UPDATE recipient SET state = {queued}, attempts = 0, due_at = ?3"
                " WHERE message = ?1 AND n = ?2"_sql,
                "retried");
        }
        return {};
    }

    void route_anew(std::uint32_t n, const MessageRow& row) {
        std::string address;
        {
            Query find = store_.database().query(
                "SELECT address FROM recipient WHERE message = ?1 AND n = ?2"_sql);
            find.bind(message_.value, static_cast<std::int64_t>(n)).step();
            address = find.text(0);
        }
        const auto mailbox = mail::Mailbox::parse_loosely(address);
        if (!mailbox) return;  // its next delivery finds that out
        const Destination way = store_.router().route(row.envelope.from, *mailbox);
        if (way.lane == Lane::xmpp && !fits_xmpp(row)) return;
        const std::int64_t number = store_.number_of(way);
        Query move = store_.database().query(
            "UPDATE recipient SET destination = ?3, transfer = NULL WHERE message = ?1 AND n = ?2"_sql);
        move.bind(message_.value, static_cast<std::int64_t>(n), number).run();
    }

    /// What can't be read is found damaged where it is.
    bool fits_xmpp(const MessageRow& row) {
        const auto beginning = read_beginning(store_, row.id, row.size, base::limits::kHeader + 1);
        bool has_nul = false;
        const auto read = read_through(store_, row.id, row.size, [&](std::string_view piece) {
            has_nul = has_nul || piece.find('\0') != piece.npos;
        });
        return !beginning || !read ||
               !mail::unfit_for_xmpp(mail::summarize_header(beginning->bytes()), has_nul);
    }

    base::Result<void> end(const Part& part) {
        std::int64_t unclear = 0;
        for (const auto n : part.numbers)
            unclear += was_sent(store_, message_, n) ? 1 : 0;
        const auto due_now = end_recipients(store_, message_, part.numbers, verb_ == Verb::bounce);
        if (!due_now && due_now.error().code == base::Errc::damaged && verb_ == Verb::bounce) {
            refuse(due_now.error().text + "; it can only be cancelled");
            result_.other += static_cast<std::int64_t>(part.numbers.size());
            return {};
        }
        if (!due_now) return due_now.error();
        add_all(result_.touched, *due_now);
        result_.changed += static_cast<std::int64_t>(part.numbers.size());
        result_.unclear += unclear;
        return {};
    }

    Store& store_;
    Verb verb_;
    Operated& result_;
    QueueId message_;
    std::map<std::int64_t, Destination> destinations_;  ///< of one step
};

}  // namespace

base::Result<Operated> operate(Store& store, Verb verb, const Selection& selection,
                               const std::optional<Selected>& after) {
    Operated result;
    std::vector<Part> parts;
    const auto page = select(store.database(), selection, after, base::limits::kOperated);
    for (const Selected& each : page.found) {
        if (each.state == State::leased) {
            ++result.at_work;
        } else if (!is_for(verb, each.state)) {
            ++result.other;
        } else {
            if (parts.empty() || parts.back().message != each.message)
                parts.push_back({each.message, {}});
            parts.back().numbers.push_back(each.n);
        }
    }
    Operating operating(store, verb, result);
    for (const Part& part : parts) {
        if (auto done = operating.work_on(part); !done) return done.error();
    }
    result.next = page.next;
    return result;
}

}  // namespace queue
