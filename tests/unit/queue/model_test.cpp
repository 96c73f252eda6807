// The states of a recipient: random operations on each implementation of the ledger, against what a
// simple model allows. A failing run is replayed by its seed: PACKETBOAT_MODEL_SEED=N;
// PACKETBOAT_MODEL_RUNS says how many seeds are tried.
#include "support/queue/kept_queue.hpp"

#include <cstdlib>
#include <map>
#include <optional>
#include <set>

#include <catch2/catch.hpp>

using namespace support;
using queue::State;

namespace {

constexpr int kSteps = 60;

using Place = std::pair<queue::QueueId, std::uint32_t>;

/// What the model knows of one recipient.
struct Known {
    State state = State::queued;
    std::string address;
    std::optional<std::string> fenced;  // the id that may be at the peer, without a verdict
};

class Run {
  public:
    Run(const Implementation& by, std::uint64_t seed) : chance_(seed), queue_(by) {}

    void play() {
        for (int i = 0; i < kSteps; ++i) {
            step();
            compare();
            if (i % 6 == 5) look_through();
        }
        look_through();
    }
    const std::string& history() const { return history_; }

  private:
    std::uint64_t pick(std::uint64_t below) { return chance_.below(below); }
    void say(const std::string& what) { history_ += what + "\n"; }

    void step() {
        allowed_.clear();
        reports_to_.clear();
        switch (pick(12)) {
            case 0:
            case 1:
            case 2:
                return arrive();
            case 3:
            case 4:
            case 5:
                return lease();
            case 6:
            case 7:
                return settle();
            case 8:
                return crash();
            case 9:
                return let_time_pass();
            case 10:
                return operate();
            default:
                return put_off();
        }
    }

    void arrive() {
        std::vector<std::string> to;
        for (std::uint64_t i = 0; i <= pick(3); ++i)
            to.push_back("r" + std::to_string(i) + "@b.test");
        const auto kind = pick(4);
        queue::Arrival mail = kind == 0   ? from_peer()
                              : kind == 1 ? arrival("", to)
                                          : arrival("alice@a.test", to);
        for (auto& recipient : mail.envelope.recipients) {
            if (pick(5) == 0) recipient.notify.never = true;
        }
        const auto id = queue_.add(mail);
        say("arrives " + id.to_text());
        for (const auto& recipient : mail.envelope.recipients)
            model_[{id, recipient.n}] = {State::queued, recipient.address.text(), {}};
    }

    queue::Destination any_destination() {
        const queue::Destination all[] = {kToB, kLocal, kReportToB, kRelay};
        return all[pick(std::size(all))];
    }

    void lease() {
        const queue::Destination from = any_destination();
        const queue::Ready ready{"mail.b.test", {1 + pick(4), 100, 1u << 20}};
        say("leases " + from.to_text());
        allow({State::queued, State::deferred}, {State::leased, State::expired});
        for (auto& message : queue_.lease(from, ready)) {
            for (const auto& recipient : message.envelope.recipients) {
                Known& known = model_[{message.id, recipient.n}];
                if (from.lane != queue::Lane::xmpp) continue;
                const std::string id = message.transfer->key.id;
                // Invariant 5: what may be at the peer goes again under the same id.
                if (known.fenced && *known.fenced != id) fail("another id for what was sent");
                known.fenced = id;
            }
            leased_.push_back({from, std::move(message)});
        }
    }

    queue::Outcome any_outcome() {
        switch (pick(5)) {
            case 0:
                return delivered();
            case 1:
                return failed();
            case 2:
                return unreachable();
            case 3:
                return queue::Deferred{reply(451, "4.2.0", "later"), "mail.b.test", true, {}};
            default:
                return queue::Delivered{reply(250, "2.0.0", "ok"), "mail.b.test",
                                        queue::Handover::relayed};
        }
    }

    void settle() {
        if (leased_.empty()) return;
        const auto at = leased_.begin() + static_cast<std::ptrdiff_t>(pick(leased_.size()));
        const auto [from, message] = std::move(*at);
        leased_.erase(at);
        queue::MessageOutcome outcome{message.id, {}, true};
        for (const auto& recipient : message.envelope.recipients) {
            const queue::Outcome what = any_outcome();
            outcome.recipients.push_back({recipient.n, what});
            const Place place{message.id, recipient.n};
            const auto* const later = std::get_if<queue::Deferred>(&what);
            if (later == nullptr || later->settled) model_[place].fenced.reset();
            if (later != nullptr)
                allow_one(place, {State::deferred, State::expired});
            else if (std::holds_alternative<queue::Failed>(what))
                allow_one(place, {State::bounced});
            else
                allow_one(place,
                          {from.lane == queue::Lane::local ? State::delivered : State::relayed});
        }
        say("settles " + message.id.to_text());
        for (const auto& report : queue_.settle({outcome}))
            reports_to_.insert(report);
    }

    void crash() {
        say("crashes");
        leased_.clear();
        allow({State::leased}, {State::queued});
        // From the second one in a row on a message waits, and in the end for an administrator.
        allow({State::leased, State::queued, State::deferred}, {State::deferred, State::held});
        queue_.crash();
    }

    void let_time_pass() {
        const auto hours = pick(40);
        say(std::to_string(hours) + " hours pass");
        queue_.clock.advance(std::chrono::hours(hours) + std::chrono::seconds(1));
    }

    void operate() {
        const auto verb = static_cast<queue::Verb>(pick(6));
        queue::Selection which;
        if (!model_.empty() && pick(2) == 0) {
            auto at = model_.begin();
            std::advance(at, static_cast<std::ptrdiff_t>(pick(model_.size())));
            which.ids = {at->first.first};
        }
        say(std::string("the administrator's ") + queue::to_text(verb));
        const std::set<State> waiting{State::queued, State::deferred};
        const std::set<State> here{State::queued, State::deferred, State::held};
        switch (verb) {
            case queue::Verb::hold:
                allow(waiting, {State::held});
                break;
            case queue::Verb::release:
                allow({State::held}, {State::queued});
                break;
            case queue::Verb::retry:
                allow(waiting, {State::queued});
                break;
            case queue::Verb::cancel:
                allow(here, {State::discarded});
                break;
            case queue::Verb::bounce:
                allow(here, {State::bounced});
                break;
            case queue::Verb::flush:
                break;
        }
        queue_.run(queue::Operate{verb, which, std::nullopt});
    }

    void put_off() {
        const queue::Destination which = any_destination();
        say("finds nobody at " + which.to_text());
        allow({State::queued, State::deferred}, {State::deferred, State::expired});
        const base::TimePoint now = queue_.clock.now();
        queue_.run_steps(queue::PutOff{
            which, queue::Silence{unreachable(), now + std::chrono::minutes(5), now}, {}});
        if (pick(2) == 0) queue_.run_steps(queue::MakeDue{which, {}, pick(4) == 0});
    }

    void allow(const std::set<State>& from, const std::set<State>& to) {
        for (const auto& [place, known] : model_) {
            if (from.contains(known.state)) allow_one(place, to);
        }
    }
    void allow_one(const Place& place, const std::set<State>& to) {
        allowed_[place].insert(to.begin(), to.end());
    }

    /// Each recipient is where it was, or where the step may have brought it.
    void compare() {
        const auto listed = list();
        for (auto& [place, known] : model_) {
            const auto row = listed.find(place);
            if (row == listed.end() && has_ended(known.state)) continue;
            const State state = row == listed.end() ? end_of(place, known) : row->second.state;
            if (state == known.state) continue;
            const auto allowed = allowed_.find(place);
            if (allowed == allowed_.end() || !allowed->second.contains(state))
                fail(std::string("a recipient went from ") + to_text(known.state) + " to " +
                     to_text(state));
            known.state = state;
        }
        for (const auto& way : reports_to_) {
            const auto goes = [&](const auto& row) { return row.second.destination == way; };
            if (std::ranges::none_of(listed, goes)) fail("a report has ended unsent");
        }
        // What is new beyond what arrived are the reports that the queue makes itself.
        for (const auto& [place, row] : listed)
            model_.try_emplace(place, Known{row.state, row.address, {}});
    }

    /// All that have not ended.
    std::map<Place, queue::ListedRecipient> list() {
        std::map<Place, queue::ListedRecipient> listed;
        for (std::optional<queue::Selected> after;;) {
            const auto page = queue_.ask(queue::ListQueue{{}, after, 100});
            for (const auto& row : page.rows)
                listed[{row.id, row.n}] = row;
            after = page.next;
            if (!after) return listed;
        }
    }

    /// How one that is not listed any more has ended.
    State end_of(const Place& place, const Known& known) {
        static constexpr State kEnds[] = {State::delivered, State::relayed, State::bounced,
                                          State::expired, State::discarded};
        for (const auto& traced : queue_.ask(queue::Trace{{place.first}})) {
            for (const auto& step : traced.steps) {
                if (step.recipient != known.address) continue;
                for (const State end : kEnds) {
                    if (step.what == to_text(end)) return end;
                }
            }
        }
        fail("a recipient is gone");
    }

    /// What has ended stays as it ended, and nothing is as it should not be.
    void look_through() {
        for (const auto& [place, known] : model_) {
            if (has_ended(known.state) && end_of(place, known) != known.state)
                fail("what has ended has changed");
        }
        const auto findings = queue_.ask(queue::Verify{});
        if (!findings.empty()) fail(findings.front().message.to_text() + ": " + findings[0].text);
    }

    [[noreturn]] void fail(const std::string& why) { throw std::runtime_error(why); }

    SeededRandom chance_;
    KeptQueue queue_;
    std::map<Place, Known> model_;
    std::map<Place, std::set<State>> allowed_;
    std::set<queue::Destination> reports_to_;  ///< made by this step
    std::vector<std::pair<queue::Destination, queue::LeasedMessage>> leased_;
    std::string history_;
};

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* const value = std::getenv(name);
    return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

}  // namespace

TEST_CASE("whatever happens, each recipient is in one state, and gets there by an allowed step") {
    constexpr std::uint64_t kRuns = 60;
    const auto by = GENERATE(from_range(implementations()));
    const std::uint64_t only = from_environment("PACKETBOAT_MODEL_SEED", 0);
    const std::uint64_t first = only != 0 ? only : 1;
    const std::uint64_t last = only != 0 ? only : from_environment("PACKETBOAT_MODEL_RUNS", kRuns);
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        Run run(by, seed);
        std::string wrong;
        try {
            run.play();
        } catch (const std::exception& error) {
            wrong = error.what();
        }
        INFO(by.name << ", PACKETBOAT_MODEL_SEED=" << seed << "\n" << run.history());
        REQUIRE(wrong == "");
    }
}
