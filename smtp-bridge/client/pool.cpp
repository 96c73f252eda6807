#include "smtp-bridge/client/pool.hpp"

#include "smtp-bridge/log.hpp"

#include <boost/asio.hpp>

namespace smtp_bridge {
namespace {

using mail::Reply;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// For a free connection, when the caller has no bound of its own; anew whenever one becomes free.
/// As long as a server may take over one mail.
constexpr auto kRoomTime = base::limits::kSmtpDataTime;
/// The bound of links grows with time, of which nobody tells those who wait.
constexpr auto kLookAgain = std::chrono::seconds(10);
/// A server may count a link for so long that is closed already; until then we look again.
constexpr auto kLingering = std::chrono::seconds(2);
constexpr auto kLingeringLook = milliseconds(100);
/// What is under way may end by itself for this long when we stop.
constexpr auto kStopTime = std::chrono::seconds(5);

milliseconds until_then(Pool::TimePoint then) {
    const auto left = std::chrono::duration_cast<milliseconds>(then - steady_clock::now());
    return std::max(left, milliseconds(0));
}

Reply none_free() {
    return {451, {4, 3, 2}, "No connection to the next hop is free"};
}

}  // namespace

Pool::Pool(asio::any_io_executor executor, PoolSettings settings)
    : executor_(std::move(executor)),
      settings_(std::move(settings)),
      limit_(settings_.most),
      line_(executor_),
      tasks_(executor_),
      wake_reaper_(executor_) {}

base::Task<Pool::Taken> Pool::take(Terms terms) {
    const base::TaskGroup::Member member(tasks_);
    const auto came = steady_clock::now();
    while (terms.want == Want::fresh && !kept_.empty()) {
        retire(std::move(kept_.front().client));
        kept_.pop_front();
    }
    for (;;) {
        auto taken = co_await wait_for_turn(terms, came);
        auto* const lease = std::get_if<Lease>(&taken);
        if (lease == nullptr || (*lease)->was_open()) co_return taken;
        const auto missed = co_await open(**lease, terms);
        if (!missed) co_return taken;
        if (!missed->again) co_return missed->why;
    }
}

/// What it gives may still have to be opened.
base::Task<Pool::Taken> Pool::wait_for_turn(Terms terms, TimePoint came) {
    const WaitingLine::Place place(line_);
    for (;;) {
        if (stopping_) co_return none_free();
        if (failure_ && failed_at_ >= came) co_return *failure_;
        if (place.is_first() && may_take()) break;
        auto last = terms.until.value_or(std::max(came, returned_at_) + kRoomTime);
        if (terms.impatient) last = std::min(last, came + settings_.client.times.patience);
        if (until_then(last).count() == 0) co_return none_free();
        co_await place.wait(std::min<milliseconds>(until_then(last), kLookAgain));
    }
    co_return kept_.empty() ? lease_new() : lease_kept(terms);
}

/// Drops kept links that have died; is there one that lives, or room for one more?
bool Pool::may_take() {
    while (!kept_.empty() && !kept_.back().client->usable())
        kept_.pop_back();
    if (!kept_.empty()) return true;
    // Of what is down, one tries whether it is back.
    if (failure_ && opening_ > 0) return false;
    return links() < limit_.most(steady_clock::now());
}

Pool::Lease Pool::lease_kept(const Terms& terms) {
    auto client = std::move(kept_.back().client);
    kept_.pop_back();
    in_use_.insert(client.get());
    client->bound(terms.until, terms.impatient);
    return {*this, std::move(client)};
}

/// Still to be opened.
Pool::Lease Pool::lease_new() {
    auto client = std::make_unique<Client>(settings_.target, settings_.client);
    in_use_.insert(client.get());
    return {*this, std::move(client)};
}

/// Nothing if the link is open.
base::Task<std::optional<Pool::Missed>> Pool::open(Client& client, Terms terms) {
    const auto began = steady_clock::now();
    const auto patience = settings_.client.times.patience;
    auto until = terms.until;
    if (terms.impatient) until = std::min(until.value_or(began + patience), began + patience);
    client.bound(until, terms.impatient);
    // A server that has all its hands full may also let us wait in silence: then it is better to
    // wait for one of the other links.
    bool gave_up = false;
    base::Deadline watch(executor_, [&] {
        gave_up = links() > 1;
        if (gave_up)
            client.cut();
        else
            watch.arm(patience);
    });
    watch.arm(patience);
    ++opening_;
    auto trouble = co_await client.open();
    --opening_;
    watch.disarm();
    if (gave_up) trouble = Reply{451, {4, 4, 2}, "No answer, while it has other links of ours"};
    client.bound(terms.until, terms.impatient);
    if (!trouble) {
        note(std::nullopt);
        co_return std::nullopt;
    }
    const auto now = steady_clock::now();
    if (const auto others = links() - 1; others > 0) {
        const bool is_new = limit_.refused(others, now);
        // Those that are being opened may yet be refused, too.
        if (is_new && others > opening_)
            log::next_hop_full(settings_.target.to_text(), others, *trouble);
        line_.wake();
        co_return Missed{*trouble, true};
    }
    if (!stopping_ && now - closed_at_ < kLingering) {
        co_await base::sleep_for(kLingeringLook);
        co_return Missed{*trouble, true};
    }
    // That the caller had no time left says nothing about the server.
    const bool cut_short = until && now >= *until && now - began < patience;
    if (!cut_short) note(trouble);
    line_.wake();
    co_return Missed{*trouble, false};
}

void Pool::give_back(std::unique_ptr<Client> client) {
    in_use_.erase(client.get());
    if (!client->was_open()) return line_.wake();
    returned_at_ = steady_clock::now();
    if (const auto silence = client->silence()) note(silence);
    if (stopping_ || !client->usable()) {
        retire(std::move(client));
        return;
    }
    client->mark_kept();
    client->bound(std::nullopt, false);
    kept_.push_back({std::move(client), steady_clock::now()});
    if (links() > limit_.most(steady_clock::now())) {
        retire(std::move(kept_.front().client));
        kept_.pop_front();
    }
    line_.wake();
    if (std::exchange(reaping_, true)) return;
    tasks_.spawn("smtp-pool", [this] { return reap(); });
}

void Pool::retire(std::unique_ptr<Client> client) {
    const std::shared_ptr<Client> last_use = std::move(client);
    ++leaving_;
    tasks_.spawn("smtp-quit", [this, last_use] { return say_goodbye(last_use); });
}

base::Task<void> Pool::say_goodbye(std::shared_ptr<Client> client) {
    co_await client->quit();
    --leaving_;
    closed_at_ = steady_clock::now();
    line_.wake();
}

/// Lives as long as there is something kept.
base::Task<void> Pool::reap() {
    while (!kept_.empty()) {
        const auto end = kept_.front().since + settings_.idle;
        if (stopping_ || until_then(end).count() == 0) {
            retire(std::move(kept_.front().client));
            kept_.pop_front();
            continue;
        }
        co_await wake_reaper_.wait(until_then(end));
    }
    reaping_ = false;
}

void Pool::probe() {
    if (!failure_ || recent_failure() || opening_ > 0 || stopping_) return;
    ++opening_;
    tasks_.spawn("smtp-probe", [this] { return run_probe(); });
}

base::Task<void> Pool::run_probe() {
    Lease lease = lease_new();
    lease->bound(steady_clock::now() + settings_.client.times.patience, true);
    auto trouble = co_await lease->open();
    if (!trouble) trouble = co_await lease->prove();
    --opening_;
    note(trouble);
}

std::optional<Reply> Pool::recent_failure() const {
    const auto since = steady_clock::now() - failed_at_;
    if (failure_ && since < settings_.client.times.pause) return failure_;
    return std::nullopt;
}

void Pool::note(const std::optional<Reply>& trouble) {
    if (stopping_) return;
    const std::string name = settings_.target.to_text();
    if (trouble && !failure_) log::next_hop_down(name, *trouble);
    if (!trouble && failure_) log::next_hop_up(name);
    failure_ = trouble;
    failed_at_ = steady_clock::now();
    if (trouble) {
        // It was no matter of how many links there are, and what is kept leads nowhere.
        limit_.forget();
        for (; !kept_.empty(); kept_.pop_front())
            retire(std::move(kept_.front().client));
    }
    line_.wake();
}

base::Task<void> Pool::stop() {
    stopping_ = true;
    wake_reaper_.notify();
    line_.wake();
    // Mail that has no link yet loses nothing.
    for (Client* client : in_use_) {
        if (!client->was_open()) client->cut();
    }
    const auto end = steady_clock::now() + kStopTime;
    while (!in_use_.empty() && until_then(end).count() > 0)
        co_await base::sleep_for(milliseconds(20));
    for (Client* client : in_use_)
        client->cut();
    while (!in_use_.empty())
        co_await base::sleep_for(milliseconds(20));
    co_await tasks_.join();
}

}  // namespace smtp_bridge
