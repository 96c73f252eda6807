#include "smtp-bridge/pool.hpp"

#include "smtp-bridge/log.hpp"

#include <boost/asio.hpp>

namespace smtp_bridge {
namespace {

using mail::Reply;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// How long a failure to connect speaks for the next attempt, too.
constexpr auto kFailurePause = std::chrono::seconds(5);
/// For a free connection, when the caller has no bound of its own.
constexpr auto kRoomTime = std::chrono::seconds(60);
/// What is under way may end by itself for this long when we stop.
constexpr auto kStopTime = std::chrono::seconds(5);

milliseconds until_then(Pool::TimePoint then) {
    const auto left = std::chrono::duration_cast<milliseconds>(then - steady_clock::now());
    return std::max(left, milliseconds(0));
}

base::Task<void> say_goodbye(std::shared_ptr<Client> client) {
    co_await client->quit();
}

}  // namespace

Pool::Pool(asio::any_io_executor executor, PoolSettings settings)
    : executor_(std::move(executor)),
      settings_(std::move(settings)),
      tasks_(executor_),
      wake_reaper_(executor_) {}

base::Task<std::variant<Pool::Lease, Reply>> Pool::take(Want want, std::optional<TimePoint> until) {
    const base::TaskGroup::Member member(tasks_);
    while (want == Want::fresh && !kept_.empty()) {
        retire(std::move(kept_.front().client));
        kept_.pop_front();
    }
    const bool room = co_await wait_for_room(until);
    if (!room) co_return Reply{451, {4, 3, 2}, "No connection to the next hop is free"};
    if (auto client = take_kept()) {
        client->bound(until);
        co_return Lease(*this, std::move(client));
    }
    auto client = std::make_unique<Client>(settings_.target, settings_.client);
    client->bound(until);
    in_use_.insert(client.get());
    Lease lease(*this, std::move(client));
    const auto trouble = co_await lease->open();
    note(trouble);
    if (trouble) co_return *trouble;
    co_return std::move(lease);
}

/// False if there was none in time, or we are stopping.
base::Task<bool> Pool::wait_for_room(std::optional<TimePoint> until) {
    const auto last = until.value_or(steady_clock::now() + kRoomTime);
    while (!stopping_ && in_use_.size() >= settings_.most) {
        if (until_then(last).count() == 0) co_return false;
        const auto place = waiting_.emplace(waiting_.end(), executor_);
        co_await place->wait(until_then(last));
        waiting_.erase(place);
    }
    co_return !stopping_;
}

std::unique_ptr<Client> Pool::take_kept() {
    while (!kept_.empty()) {
        auto client = std::move(kept_.back().client);
        kept_.pop_back();
        if (client->usable()) {
            in_use_.insert(client.get());
            return client;
        }
    }
    return nullptr;
}

void Pool::give_back(std::unique_ptr<Client> client) {
    in_use_.erase(client.get());
    if (!waiting_.empty()) waiting_.front().notify();
    if (stopping_ || !client->usable()) {
        retire(std::move(client));
        return;
    }
    client->mark_kept();
    client->bound(std::nullopt);
    kept_.push_back({std::move(client), steady_clock::now()});
    if (kept_.size() + in_use_.size() > settings_.most) {
        retire(std::move(kept_.front().client));
        kept_.pop_front();
    }
    if (std::exchange(reaping_, true)) return;
    tasks_.spawn("smtp-pool", [this] { return reap(); });
}

void Pool::retire(std::unique_ptr<Client> client) {
    const std::shared_ptr<Client> last_use = std::move(client);
    tasks_.spawn("smtp-quit", [last_use] { return say_goodbye(last_use); });
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

std::optional<Reply> Pool::recent_failure() const {
    if (failure_ && steady_clock::now() - failed_at_ < kFailurePause) return failure_;
    return std::nullopt;
}

void Pool::note(const std::optional<Reply>& trouble) {
    if (stopping_) return;
    const std::string name = settings_.target.to_text();
    if (trouble && !failure_) log::next_hop_down(name, *trouble);
    if (!trouble && failure_) log::next_hop_up(name);
    failure_ = trouble;
    failed_at_ = steady_clock::now();
}

base::Task<void> Pool::stop() {
    stopping_ = true;
    wake_reaper_.notify();
    for (auto& place : waiting_)
        place.notify();
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
