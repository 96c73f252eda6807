// SenderCounts: what each sender of ours has sent lately, and whether that is beyond its limits.
//
// Counted are logins (each message and recipient that they ask our mail server to take), and
// envelope senders (what comes in at our doors; a SenderTicket for each message). A count runs out
// by so much an hour as is allowed in one. It is written by the doors, the lookup thread and the
// couriers: any thread. Bounded in senders: beyond kSenders, those go that are the furthest from
// their limits, so that who makes up senders is not forgotten himself. Nothing of it survives a
// restart. Pure but for the clock.
#pragma once

#include "base/clock.hpp"
#include "base/token_bucket.hpp"
#include "queue/sender_limits.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace queue {

/// Of each Counted, in its order.
using SenderFigures = std::array<std::uint64_t, kCounted>;

/// Who is counted by a name.
enum class SenderKind : std::uint8_t {
    login,   ///< whoever has logged in at our mail server
    sender,  ///< an envelope sender
    domain,  ///< all envelope senders of a domain together
};
const char* to_text(SenderKind kind);

/// A sender has gone beyond a limit: what an administrator should see.
struct SenderAlarm {
    SenderKind kind = SenderKind::sender;
    std::string name;
    Counted what = Counted::messages;
    SenderFigures last_hour{};    ///< to five minutes
    std::uint64_t limit = 0;      ///< of `what`, an hour
    Beyond beyond = Beyond::log;  ///< what becomes of it
    std::uint64_t left_out = 0;   ///< how often it was beyond since its last alarm
    std::string client;           ///< whom it came from; empty: not known
};

/// One of them, for a list.
struct SenderRow {
    SenderKind kind = SenderKind::sender;
    std::string name;
    SenderFigures last_hour{};  ///< to five minutes
    std::array<std::optional<std::uint64_t>, kCounted> limits;
    bool is_beyond = false;  ///< now
    Beyond beyond = Beyond::log;
};

class SenderCounts {
  public:
    static constexpr std::size_t kSenders = 20'000;
    /// An alarm for each sender in so long.
    static constexpr auto kQuiet = std::chrono::hours(1);

    enum class Verdict : std::uint8_t { pass, hold, refuse };
    using OnAlarm = std::function<void(const SenderAlarm&)>;

    /// `clock` has to outlive it. `on_alarm` is called on whatever thread counts.
    SenderCounts(SenderLimits limits, const base::Clock& clock, OnAlarm on_alarm);

    /// From now on.
    void use(SenderLimits limits);

    /// A login asks to send to one more recipient.
    struct Asking {
        std::string_view login;
        mail::ReversePath from;    ///< if that is one of ours
        std::string_view message;  ///< what our mail server calls the message
        std::string_view client;   ///< for the alarm
    };
    /// It is counted for the login, unless it is refused. `from` has to be within its own limits,
    /// too, but counts here only if the mail is to be held, as it then does not come in.
    Verdict asks(const Asking& asking);
    /// `from`, a sender of ours, wants to send `more`: it is used up, unless it is refused.
    Verdict take(const mail::Mailbox& from, const SenderFigures& more, std::string_view client);
    /// Of what it took, this was not sent after all ...
    void give_back(const mail::Mailbox& from, const SenderFigures& more);
    /// ... or this was.
    void sent(const mail::Mailbox& from, const SenderFigures& more);
    /// So many recipients of its messages did not exist.
    void met_unknown(const mail::Mailbox& from, std::size_t recipients);

    /// Those beyond their limits first, then those with the most recipients; at most `most`.
    std::vector<SenderRow> list(std::size_t most) const;
    /// As if it had sent nothing, whatever kinds of it there are; false: it has not. In any
    /// spelling.
    bool forget(std::string_view name);
    std::size_t size() const;

  private:
    using Key = std::pair<SenderKind, std::string>;
    using Amounts = std::array<double, kCounted>;

    /// What was counted in the last hour, in steps of five minutes.
    class LastHour {
      public:
        void add(const SenderFigures& more, base::SteadyPoint now);
        SenderFigures sum(base::SteadyPoint now) const;

      private:
        static constexpr std::int64_t kSteps = 12;
        std::array<SenderFigures, kSteps> steps_{};
        std::int64_t last_ = 0;  ///< the step of the last add()
    };
    struct Entry {
        std::array<base::TokenBucket, kCounted> used;
        LastHour last_hour;
        std::optional<base::SteadyPoint> alarmed;
        std::uint64_t left_out = 0;
        /// Of a login: the messages that it sent to last, several at once.
        std::array<std::size_t, 8> messages{};
        std::size_t next_message = 0;
    };
    struct Judged {
        std::optional<Counted> beyond;  ///< the first limit that it is beyond
        Verdict verdict = Verdict::pass;
    };
    using Alarms = std::vector<SenderAlarm>;

    const SenderRule* rule_of(const Key& key) const;
    std::vector<Key> keys_of(const mail::Mailbox& from) const;
    Entry* find(const Key& key);
    Entry& entry_of(const Key& key);
    Amounts used_of(const Key& key, const SenderRule& rule);
    static Amounts used_now(const Entry& entry, const SenderRule& rule, base::SteadyPoint now);
    static Judged judge(const Amounts& used, const SenderRule& rule, const SenderFigures& more);
    Judged judge_now(const Key& key, const SenderFigures& more);
    void use_up(const Key& key, const SenderFigures& more);
    /// `key` has a rule.
    void note(const Key& key, Counted beyond, std::string_view client, Alarms& alarms);
    void make_room();
    void tell(const Alarms& alarms) const;

    const base::Clock& clock_;
    const OnAlarm on_alarm_;
    mutable std::mutex mutex_;
    SenderLimits limits_;           ///< guarded, as all below
    std::map<Key, Entry> senders_;  ///< at most kSenders
};

/// What one message takes of its sender's limits, from the first word of it until it is ours: given
/// back unless it is sent().
class SenderTicket {
  public:
    /// `counts` has to outlive it. `client`: for an alarm.
    SenderTicket(SenderCounts& counts, mail::Mailbox from, std::string client)
        : counts_(&counts), from_(std::move(from)), client_(std::move(client)) {}
    ~SenderTicket() { give_back(); }
    SenderTicket(SenderTicket&& other) noexcept
        : counts_(other.counts_),
          from_(std::move(other.from_)),
          client_(std::move(other.client_)),
          taken_(std::exchange(other.taken_, {})),
          is_held_(other.is_held_) {}
    SenderTicket& operator=(SenderTicket&&) = delete;
    SenderTicket(const SenderTicket&) = delete;
    SenderTicket& operator=(const SenderTicket&) = delete;

    /// So much more of it; false: that is refused.
    bool take(const SenderFigures& more);
    bool is_held() const { return is_held_; }
    void sent();

  private:
    void give_back();

    SenderCounts* counts_;
    mail::Mailbox from_;
    std::string client_;
    SenderFigures taken_{};
    bool is_held_ = false;  ///< a part of it is beyond a limit
};

}  // namespace queue
