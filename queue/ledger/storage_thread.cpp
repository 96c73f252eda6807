#include "queue/ledger/storage_thread.hpp"

#include "base/crash_point.hpp"
#include "base/limits.hpp"
#include "base/thread_name.hpp"

#include <algorithm>

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

/// Requests are added while it is run.
struct StorageThread::Batch {
    std::deque<Request> requests;
    std::size_t run = 0;  ///< of them that the ledger has been given
    std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
    /// Until then it has room for steps, once it is known whether it has any.
    std::optional<std::chrono::steady_clock::time_point> steps_until;
    bool took_more = false;
};

StorageThread::StorageThread(base::asio::any_io_executor loop, std::unique_ptr<Ledger> ledger)
    : loop_(std::move(loop)), ledger_(std::move(ledger)), thread_([this] { work(); }) {}

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

void StorageThread::look_for_damage() {
    if (!ledger_->damage() || std::exchange(damage_is_told_, true)) return;
    base::asio::post(loop_, [damage = damage_, met = *ledger_->damage()] {
        damage->met = met;
        if (damage->tell) damage->tell(met);
    });
}

base::Task<base::Result<Answer>> StorageThread::submit(Request request) {
    // The handler may only be copied into a std::function by way of a shared_ptr: it is move-only.
    auto initiate = [this](auto handler, Request waiting) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        waiting.answer = [shared](base::Result<Answer> result) { (*shared)(std::move(result)); };
        const std::function<void()> meanwhile = std::move(waiting.meanwhile);
        enqueue(std::move(waiting));
        if (meanwhile) meanwhile();
    };
    base::Result<Answer> result =
        co_await base::asio::async_initiate<const base::asio::use_awaitable_t<>,
                                            void(base::Result<Answer>)>(
            initiate, base::asio::use_awaitable, std::move(request));
    co_return result;
}

void StorageThread::later(Operation operation) {
    enqueue({std::move(operation), Kind::write, 0, {}, [](const base::Result<Answer>&) {}});
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

std::optional<StorageThread::Request> StorageThread::take_shared_step(Batch& batch) {
    const auto now = std::chrono::steady_clock::now();
    const bool by_themselves = is_step(batch.requests.front());
    if (!batch.steps_until) {
        const std::chrono::nanoseconds share = (now - last_step_) / kSharedPart;
        if (by_themselves)
            batch.steps_until = batch.began + kStepsTime;
        else if (may_share(batch.requests, now))
            batch.steps_until = now + std::min<std::chrono::nanoseconds>(share, kSharedMost);
        else
            batch.steps_until = now;
    }
    if (now >= *batch.steps_until) return std::nullopt;
    return take_step(by_themselves);
}

const Operation* StorageThread::next(Batch& batch) {
    if (batch.run > 0 && is_step(batch.requests[batch.run - 1]))
        last_step_ = std::chrono::steady_clock::now();
    if (batch.run == batch.requests.size() && !batch.took_more) {
        if (auto step = take_shared_step(batch)) {
            batch.requests.push_back(std::move(*step));
        } else {
            // Once only, so that a stream of requests does not hold the first ones up.
            batch.took_more = true;
            take_more(batch.requests);
        }
    }
    if (batch.run == batch.requests.size()) return nullptr;
    return &batch.requests[batch.run++].operation;
}

void StorageThread::work() {
    base::name_thread("storage");
    for (;;) {
        Batch batch;
        batch.requests = take();
        if (batch.requests.empty()) break;  // stopping, and nothing is left
        batch.began = std::chrono::steady_clock::now();
        auto answers = ledger_->run([&] { return next(batch); });
        look_for_damage();
        // Those that it was not given have failed, too.
        const base::Error failed = answers.empty() || answers[0]
                                       ? base::fail(base::Errc::storage, "the storage failed")
                                       : answers[0].error();
        answers.resize(batch.requests.size(), failed);
        if (is_write(batch.requests)) last_write_ = std::chrono::steady_clock::now();
        base::crash_point("storage.before-answers");
        // What the operations hold (contents) is let go here, not on the loop.
        for (Request& request : batch.requests)
            request.operation = Operation();
        base::asio::post(
            loop_, [requests = std::move(batch.requests), answers = std::move(answers)]() mutable {
                for (std::size_t i = 0; i < requests.size(); ++i)
                    requests[i].answer(std::move(answers[i]));
            });
    }
    ledger_->release();
}

}  // namespace queue
