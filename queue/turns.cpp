#include "queue/turns.hpp"

#include <chrono>

namespace queue {
namespace {

constexpr auto kLookAgain = std::chrono::hours(1);  // a bound on a wait that always ends earlier

}  // namespace

base::Task<void> Turns::enter() {
    if (free_ > 0) {
        --free_;
        co_return;
    }
    const Turn turn = std::make_shared<base::OneShot<bool>>(executor_);
    waiting_.push_back(turn);
    while (!turn->is_set())
        co_await turn->wait(kLookAgain);
}

void Turns::leave() {
    if (waiting_.empty()) {
        ++free_;
        return;
    }
    // Who leaves gives it to the next.
    const Turn next = waiting_.front();
    waiting_.pop_front();
    next->set(true);
}

}  // namespace queue
