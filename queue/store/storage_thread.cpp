#include "queue/store/storage_thread.hpp"

#include "base/crash_point.hpp"
#include "base/limits.hpp"
#include "base/thread_name.hpp"
#include "queue/log.hpp"
#include "queue/store/damage.hpp"
#include "queue/store/under_way.hpp"

#include <algorithm>

#include <sqlite3.h>

namespace queue {
namespace {

using namespace std::chrono_literals;

// How long steps make a commit that has nothing else, ...
constexpr auto kStepsTime = 1ms;
// ... and that of others, which they share so often: a fiftieth of all time.
constexpr auto kSharedEvery = 50ms;
constexpr auto kSharedMost = 2ms;
constexpr int kSharedPart = 50;
// After so long they share one that would write nothing without them, too.
constexpr auto kPatience = 100ms;
// Nothing was written for so long: a commit of their own will hardly be in the way of others.
constexpr auto kPause = 30ms;

}  // namespace

StorageThread::StorageThread(base::asio::any_io_executor loop, std::unique_ptr<Store> store)
    : loop_(std::move(loop)),
      store_(std::move(store)),
      checkpointer_(store_->database()),
      thread_([this] { work(); }) {}

StorageThread::~StorageThread() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    arrived_.notify_one();
    thread_.join();
}

void StorageThread::on_damage(std::function<void(base::Error)> tell) {
    damage_->tell = std::move(tell);
    if (damage_->met) damage_->tell(*damage_->met);
}

void StorageThread::look_for_damage(const SQLite::Exception& error) {
    // What is passed over next time is no reason to end.
    if (dynamic_cast<const UnreadableMessage*>(&error) != nullptr) return;
    if (!is_damage(error) || std::exchange(damage_met_, true)) return;
    store_->note_damage(error.what());
    base::asio::post(loop_, [damage = damage_, why = std::string(error.what())] {
        damage->met = base::fail(base::Errc::damaged, "the queue's database is damaged: " + why);
        if (damage->tell) damage->tell(*damage->met);
    });
}

base::Task<base::Result<void>> StorageThread::submit(Request request) {
    // The handler may only be copied into a std::function by way of a shared_ptr: it is move-only.
    auto initiate = [this](auto handler, Request waiting) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        waiting.answer = [shared](base::Result<void> result) { (*shared)(std::move(result)); };
        const std::function<void()> meanwhile = std::move(waiting.meanwhile);
        enqueue(std::move(waiting));
        if (meanwhile) meanwhile();
    };
    base::Result<void> result =
        co_await base::asio::async_initiate<const base::asio::use_awaitable_t<>,
                                            void(base::Result<void>)>(
            initiate, base::asio::use_awaitable, std::move(request));
    co_return result;
}

void StorageThread::later(std::function<void(Store&)> operation) {
    Request request;
    request.operation = [operation = std::move(operation)](Store& store) -> base::Result<void> {
        operation(store);
        return {};
    };
    request.answer = [](const base::Result<void>&) {};
    enqueue(std::move(request));
}

void StorageThread::enqueue(Request request) {
    {
        const std::lock_guard lock(mutex_);
        if (is_step(request) && !has_steps()) steps_since_ = std::chrono::steady_clock::now();
        line_of(request.kind).push_back(std::move(request));
    }
    arrived_.notify_one();
}

std::deque<StorageThread::Request>& StorageThread::line_of(Kind kind) {
    switch (kind) {
        case Kind::step:
            return steps_;
        case Kind::delivery_step:
            return delivery_steps_;
        default:
            return waiting_;
    }
}

bool StorageThread::is_step(const Request& request) {
    return request.kind == Kind::step || request.kind == Kind::delivery_step;
}

bool StorageThread::has_steps() const {
    return !steps_.empty() || !delivery_steps_.empty();
}

std::deque<StorageThread::Request> StorageThread::take() {
    std::deque<Request> taken;
    {
        std::unique_lock lock(mutex_);
        const auto others = [this] { return stopping_ || !waiting_.empty(); };
        arrived_.wait(lock, [&] { return others() || has_steps(); });
        arrived_.wait_until(lock, last_write_ + kPause, others);
    }
    take_more(taken);
    if (taken.empty()) {
        if (auto step = take_step(false)) taken.push_back(std::move(*step));
    }
    return taken;
}

void StorageThread::take_more(std::deque<Request>& taken) {
    std::size_t bytes = 0;
    for (const Request& request : taken)
        bytes += request.bytes;
    const std::lock_guard lock(mutex_);
    while (!waiting_.empty() && taken.size() < base::limits::kCommitRequests) {
        bytes += waiting_.front().bytes;
        if (!taken.empty() && bytes > base::limits::kCommitBytes) break;
        taken.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
}

std::optional<StorageThread::Request> StorageThread::take_step(bool gives_way) {
    const std::lock_guard lock(mutex_);
    if (!has_steps() || (gives_way && !waiting_.empty())) return std::nullopt;
    // In turns: deliveries may have hundreds in line.
    delivery_is_next_ = !delivery_is_next_;
    auto& line = (delivery_is_next_ && !delivery_steps_.empty()) || steps_.empty() ? delivery_steps_
                                                                                   : steps_;
    Request step = std::move(line.front());
    line.pop_front();
    return step;
}

bool StorageThread::is_write(const std::deque<Request>& requests) {
    return std::ranges::any_of(requests,
                               [](const Request& each) { return each.kind == Kind::write; });
}

bool StorageThread::may_share(const std::deque<Request>& requests,
                              std::chrono::steady_clock::time_point now) {
    if (is_write(requests)) return now - last_step_ >= kSharedEvery;
    // It would write nothing without them: not unless there are no others.
    const std::lock_guard lock(mutex_);
    return has_steps() && now - std::max(last_step_, steps_since_) >= kPatience;
}

void StorageThread::run_steps(std::deque<Request>& requests,
                              std::vector<base::Result<void>>& results,
                              std::chrono::steady_clock::time_point began) {
    const auto now = std::chrono::steady_clock::now();
    const bool by_themselves = is_step(requests.front());
    if (!by_themselves && !may_share(requests, now)) return;
    const std::chrono::nanoseconds share = (now - last_step_) / kSharedPart;
    const auto end = by_themselves ? began + kStepsTime
                                   : now + std::min<std::chrono::nanoseconds>(share, kSharedMost);
    if (by_themselves) last_step_ = now;
    for (auto at = now; at < end; at = std::chrono::steady_clock::now()) {
        auto step = take_step(by_themselves);
        if (!step) break;
        requests.push_back(std::move(*step));
        results.push_back(run_one(requests.back()));
        last_step_ = std::chrono::steady_clock::now();
    }
}

void StorageThread::work() {
    base::name_thread("storage");
    for (;;) {
        std::deque<Request> requests = take();
        if (requests.empty()) return release();  // stopping, and nothing is left
        std::vector<base::Result<void>> results = commit(requests);
        if (is_write(requests)) last_write_ = std::chrono::steady_clock::now();
        // What the operations hold (contents) is let go here, not on the loop.
        for (Request& request : requests)
            request.operation = nullptr;
        base::asio::post(loop_,
                         [requests = std::move(requests), results = std::move(results)]() mutable {
                             for (std::size_t i = 0; i < requests.size(); ++i)
                                 requests[i].answer(std::move(results[i]));
                         });
    }
}

/// What is under way still at a stop did not end the process.
void StorageThread::release() {
    try {
        release_leased(*store_);
    } catch (const SQLite::Exception& error) {
        log::storage_failed("stop", error.what());
    }
}

std::vector<base::Result<void>> StorageThread::commit(std::deque<Request>& requests) {
    std::vector<base::Result<void>> results;
    bool committing = false;
    try {
        const auto began = std::chrono::steady_clock::now();
        store_->database().execute("BEGIN IMMEDIATE");
        for (Request& request : requests)
            results.push_back(run_one(request));
        run_steps(requests, results, began);
        // Once only, so that a stream of requests does not hold the first ones up.
        take_more(requests);
        while (results.size() < requests.size())
            results.push_back(run_one(requests[results.size()]));
        base::crash_point("storage.before-commit");
        committing = true;
        store_->database().execute("COMMIT");
        base::crash_point("storage.committed");
    } catch (const SQLite::Exception& error) {
        log::storage_failed("commit", error.what());
        look_for_damage(error);
        // A commit that could not be synced may be found in the log all the same, at the next
        // start.
        committing ? store_->forget_actions() : store_->drop_actions(0);
        try {
            if (store_->database().in_transaction()) store_->database().execute("ROLLBACK");
        } catch (const SQLite::Exception& again) {
            log::storage_failed("rollback", again.what());
        }
        results.assign(requests.size(), base::fail(base::Errc::storage, error.what()));
        return results;
    }
    store_->run_actions();
    base::crash_point("storage.before-answers");
    return results;
}

base::Result<void> StorageThread::run_one(Request& request) {
    Database& database = store_->database();
    const std::size_t actions = store_->actions();
    const auto undo = [&] {
        store_->drop_actions(actions);
        database.execute("ROLLBACK TO request");
        database.execute("RELEASE request");
    };
    database.execute("SAVEPOINT request");
    try {
        base::Result<void> result = request.operation(*store_);
        if (result) {
            database.execute("RELEASE request");
        } else {
            undo();
            if (result.error().code == base::Errc::storage)
                log::storage_failed("request", result.error().text);
        }
        return result;
    } catch (const SQLite::Exception& error) {
        // After a full disk or an I/O error SQLite may have rolled back everything: then all have
        // failed. After damage it lets nothing be written before everything is.
        if (!database.in_transaction() || error.getErrorCode() == SQLITE_CORRUPT) throw;
        undo();
        log::storage_failed("request", error.what());
        return base::fail(base::Errc::storage, error.what());
    }
}

}  // namespace queue
