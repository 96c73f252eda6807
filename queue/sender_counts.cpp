#include "queue/sender_counts.hpp"

#include <algorithm>
#include <functional>

namespace queue {
namespace {

constexpr auto kStep = std::chrono::minutes(5);
/// Of kSenders, how many go at once when there is no room: so the look at all of them is rare.
constexpr std::size_t kMakeRoom = SenderCounts::kSenders / 10;
/// Rounding, far below one.
constexpr double kHair = 1e-6;

std::int64_t step_of(base::SteadyPoint now) {
    return now.time_since_epoch() / std::chrono::milliseconds(kStep);
}

constexpr std::size_t index_of(Counted what) {
    return static_cast<std::size_t>(what);
}

constexpr std::array kAll{Counted::messages, Counted::recipients, Counted::unknown};

/// How much of what it may send it has used: 1 is all, of the count of which that is the most.
double share_used(const std::array<double, kCounted>& used, const SenderRule& rule) {
    double share = 0;
    for (const Counted what : kAll) {
        if (rule.limit(what))
            share = std::max(share, used.at(index_of(what)) / rule.rate(what).at_once);
    }
    return share;
}

}  // namespace

const char* to_text(SenderKind kind) {
    switch (kind) {
        case SenderKind::login:
            return "login";
        case SenderKind::sender:
            return "sender";
        case SenderKind::domain:
            return "domain";
    }
    return "sender";
}

void SenderCounts::LastHour::add(const SenderFigures& more, base::SteadyPoint now) {
    const std::int64_t step = step_of(now);
    const std::int64_t passed = std::min(step - last_, kSteps);
    for (std::int64_t i = 0; i < passed; ++i)
        steps_.at(static_cast<std::size_t>((step - i) % kSteps)) = {};
    last_ = step;
    SenderFigures& current = steps_.at(static_cast<std::size_t>(step % kSteps));
    for (std::size_t i = 0; i < kCounted; ++i)
        current.at(i) += more.at(i);
}

SenderFigures SenderCounts::LastHour::sum(base::SteadyPoint now) const {
    SenderFigures sum{};
    const std::int64_t step = step_of(now);
    for (auto each = std::max<std::int64_t>(step - kSteps + 1, 0); each <= last_; ++each) {
        const SenderFigures& then = steps_.at(static_cast<std::size_t>(each % kSteps));
        for (std::size_t i = 0; i < kCounted; ++i)
            sum.at(i) += then.at(i);
    }
    return sum;
}

SenderCounts::SenderCounts(SenderLimits limits, const base::Clock& clock, OnAlarm on_alarm)
    : clock_(clock), on_alarm_(std::move(on_alarm)), limits_(std::move(limits)) {}

void SenderCounts::use(SenderLimits limits) {
    const std::lock_guard lock(mutex_);
    limits_ = std::move(limits);
}

SenderCounts::Verdict SenderCounts::asks(const Asking& asking) {
    Alarms alarms;
    Verdict verdict = Verdict::pass;
    {
        const std::lock_guard lock(mutex_);
        const auto keys_of_sender = asking.from ? keys_of(*asking.from) : std::vector<Key>();
        for (const Key& key : keys_of_sender) {
            const Judged judged = judge_now(key, {1, 1, 0});
            // What passes here is counted where it comes in, and so is the alarm.
            if (judged.verdict != Verdict::pass) note(key, *judged.beyond, asking.client, alarms);
            verdict = std::max(verdict, judged.verdict);
        }
        const Key key{SenderKind::login, sender_name(asking.login)};
        const std::size_t id = std::hash<std::string_view>()(asking.message);
        const Entry* const known = find(key);
        const bool is_new =
            known == nullptr || std::ranges::find(known->messages, id) == known->messages.end();
        const SenderFigures more{is_new ? 1u : 0u, 1, 0};
        if (verdict != Verdict::refuse) {
            const Judged judged = judge_now(key, more);
            if (judged.beyond) note(key, *judged.beyond, asking.client, alarms);
            // What our mail server holds does not come in: it counts here, or its hold had no end.
            if (std::max(verdict, judged.verdict) == Verdict::hold) {
                for (const Key& each : keys_of_sender)
                    use_up(each, more);
            }
            verdict = std::max(verdict, judged.verdict);
        }
        if (verdict != Verdict::refuse && rule_of(key) != nullptr) {
            use_up(key, more);
            Entry& entry = entry_of(key);
            entry.last_hour.add(more, clock_.steady());
            if (is_new) entry.messages.at(entry.next_message++ % entry.messages.size()) = id;
        }
    }
    tell(alarms);
    return verdict;
}

SenderCounts::Verdict SenderCounts::take(const mail::Mailbox& from, const SenderFigures& more,
                                         std::string_view client) {
    Alarms alarms;
    Verdict verdict = Verdict::pass;
    {
        const std::lock_guard lock(mutex_);
        const auto keys = keys_of(from);
        for (const Key& key : keys) {
            // A single mail may be beyond a limit, too.
            const Judged judged = judge_now(key, more);
            if (judged.beyond) note(key, *judged.beyond, client, alarms);
            verdict = std::max(verdict, judged.verdict);
        }
        for (const Key& key : keys) {
            if (verdict != Verdict::refuse) use_up(key, more);
        }
    }
    tell(alarms);
    return verdict;
}

void SenderCounts::give_back(const mail::Mailbox& from, const SenderFigures& more) {
    const std::lock_guard lock(mutex_);
    for (const Key& key : keys_of(from)) {
        Entry* const entry = find(key);
        for (std::size_t i = 0; entry != nullptr && i < kCounted; ++i)
            entry->used.at(i).give_back(static_cast<double>(more.at(i)));
    }
}

void SenderCounts::sent(const mail::Mailbox& from, const SenderFigures& more) {
    const std::lock_guard lock(mutex_);
    for (const Key& key : keys_of(from))
        entry_of(key).last_hour.add(more, clock_.steady());
}

void SenderCounts::met_unknown(const mail::Mailbox& from, std::size_t recipients) {
    const SenderFigures more{0, 0, recipients};
    Alarms alarms;
    {
        const std::lock_guard lock(mutex_);
        for (const Key& key : keys_of(from)) {
            const Judged judged = judge_now(key, more);
            if (judged.beyond) note(key, *judged.beyond, "", alarms);
            use_up(key, more);
            entry_of(key).last_hour.add(more, clock_.steady());
        }
    }
    tell(alarms);
}

const SenderRule* SenderCounts::rule_of(const Key& key) const {
    const auto& [kind, name] = key;
    return kind == SenderKind::domain ? limits_.rule_together(name) : limits_.rule(name);
}

/// Under which it is counted.
std::vector<SenderCounts::Key> SenderCounts::keys_of(const mail::Mailbox& from) const {
    const std::string name = sender_name(from);
    std::vector<Key> keys;
    if (limits_.rule(name) == nullptr) return keys;
    keys.emplace_back(SenderKind::sender, name);
    std::string domain = domain_of(name);
    if (limits_.rule_together(domain) != nullptr)
        keys.emplace_back(SenderKind::domain, std::move(domain));
    return keys;
}

SenderCounts::Entry* SenderCounts::find(const Key& key) {
    const auto found = senders_.find(key);
    return found == senders_.end() ? nullptr : &found->second;
}

SenderCounts::Entry& SenderCounts::entry_of(const Key& key) {
    if (Entry* const known = find(key)) return *known;
    make_room();
    return senders_[key];
}

SenderCounts::Amounts SenderCounts::used_now(const Entry& entry, const SenderRule& rule,
                                             base::SteadyPoint now) {
    Amounts used{};
    for (const Counted what : kAll) {
        const auto i = index_of(what);
        if (rule.limit(what)) used.at(i) = entry.used.at(i).used(rule.rate(what), now);
    }
    return used;
}

SenderCounts::Amounts SenderCounts::used_of(const Key& key, const SenderRule& rule) {
    const Entry* const entry = find(key);
    return entry == nullptr ? Amounts() : used_now(*entry, rule, clock_.steady());
}

/// `more` is what is to come; how many recipients are unknown shows only afterwards, so that one
/// more must still be within the limit.
SenderCounts::Judged SenderCounts::judge(const Amounts& used, const SenderRule& rule,
                                         const SenderFigures& more) {
    Judged judged;
    for (const Counted what : kAll) {
        const auto i = index_of(what);
        const std::uint64_t next =
            what == Counted::unknown ? std::max<std::uint64_t>(more.at(i), 1) : more.at(i);
        if (!rule.limit(what) || next == 0) continue;
        const double beyond = used.at(i) + static_cast<double>(next) - rule.rate(what).at_once;
        if (beyond <= kHair) continue;
        if (!judged.beyond) judged.beyond = what;
        if (rule.beyond == Beyond::log) continue;
        // What is held takes room until somebody looks: an hour's worth of it has to do.
        const bool holds =
            rule.beyond == Beyond::hold && beyond <= static_cast<double>(*rule.limit(what)) + kHair;
        judged.verdict = std::max(judged.verdict, holds ? Verdict::hold : Verdict::refuse);
    }
    return judged;
}

SenderCounts::Judged SenderCounts::judge_now(const Key& key, const SenderFigures& more) {
    const SenderRule* const rule = rule_of(key);
    return rule == nullptr ? Judged() : judge(used_of(key, *rule), *rule, more);
}

/// Whether it is beyond a limit or not.
void SenderCounts::use_up(const Key& key, const SenderFigures& more) {
    const SenderRule* const rule = rule_of(key);
    if (rule == nullptr) return;
    Entry& entry = entry_of(key);
    const base::SteadyPoint now = clock_.steady();
    for (const Counted what : kAll) {
        const auto i = index_of(what);
        if (rule->limit(what))
            entry.used.at(i).add(static_cast<double>(more.at(i)), rule->rate(what), now);
    }
}

/// It is beyond a limit: an alarm, if there was none lately.
void SenderCounts::note(const Key& key, Counted beyond, std::string_view client, Alarms& alarms) {
    const SenderRule& rule = *rule_of(key);
    Entry& entry = entry_of(key);
    const base::SteadyPoint now = clock_.steady();
    if (entry.alarmed && now - *entry.alarmed < kQuiet) {
        ++entry.left_out;
        return;
    }
    alarms.push_back({key.first, key.second, beyond, entry.last_hour.sum(now),
                      rule.limit(beyond).value_or(0), rule.beyond, entry.left_out,
                      std::string(client)});
    entry.alarmed = now;
    entry.left_out = 0;
}

/// Those go of whom the least is known: who is furthest from a limit is as one who has sent
/// nothing.
void SenderCounts::make_room() {
    if (senders_.size() < kSenders) return;
    const base::SteadyPoint now = clock_.steady();
    std::vector<std::pair<double, Key>> shares;
    shares.reserve(senders_.size());
    for (const auto& [key, entry] : senders_) {
        const SenderRule* const rule = rule_of(key);
        const double share = rule == nullptr ? 0 : share_used(used_now(entry, *rule, now), *rule);
        shares.emplace_back(share, key);
    }
    const auto last = shares.begin() + static_cast<std::ptrdiff_t>(kMakeRoom);
    std::ranges::nth_element(shares, last);
    for (auto each = shares.begin(); each != last; ++each)
        senders_.erase(each->second);
}

std::vector<SenderRow> SenderCounts::list(std::size_t most) const {
    std::vector<SenderRow> rows;
    {
        const std::lock_guard lock(mutex_);
        const base::SteadyPoint now = clock_.steady();
        rows.reserve(senders_.size());
        for (const auto& [key, entry] : senders_) {
            const SenderRule* const rule = rule_of(key);
            if (rule == nullptr) continue;
            const Judged judged = judge(used_now(entry, *rule, now), *rule, SenderFigures{1, 1, 0});
            rows.push_back({key.first, key.second, entry.last_hour.sum(now), rule->an_hour,
                            judged.beyond.has_value(), rule->beyond});
        }
    }
    std::erase_if(rows, [](const SenderRow& row) {
        return !row.is_beyond && row.last_hour == SenderFigures{};
    });
    const auto weight = [](const SenderRow& row) {
        return std::pair(row.is_beyond, row.last_hour.at(index_of(Counted::recipients)));
    };
    std::ranges::stable_sort(rows, std::ranges::greater(), weight);
    if (rows.size() > most)
        rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(most), rows.end());
    return rows;
}

bool SenderCounts::forget(std::string_view name) {
    const std::string wanted = sender_name(name);
    const std::lock_guard lock(mutex_);
    const auto forgotten = senders_.erase({SenderKind::login, wanted}) +
                           senders_.erase({SenderKind::sender, wanted}) +
                           senders_.erase({SenderKind::domain, wanted});
    return forgotten > 0;
}

std::size_t SenderCounts::size() const {
    const std::lock_guard lock(mutex_);
    return senders_.size();
}

void SenderCounts::tell(const Alarms& alarms) const {
    for (const SenderAlarm& alarm : alarms)
        on_alarm_(alarm);
}

bool SenderTicket::take(const SenderFigures& more) {
    const auto verdict = counts_->take(from_, more, client_);
    if (verdict == SenderCounts::Verdict::refuse) return false;
    is_held_ = is_held_ || verdict == SenderCounts::Verdict::hold;
    for (std::size_t i = 0; i < kCounted; ++i)
        taken_.at(i) += more.at(i);
    return true;
}

void SenderTicket::sent() {
    counts_->sent(from_, std::exchange(taken_, {}));
}

void SenderTicket::give_back() {
    if (taken_ != SenderFigures{}) counts_->give_back(from_, taken_);
}

}  // namespace queue
