#include "smtp-bridge/server/intake_budget.hpp"

#include <boost/asio.hpp>

namespace smtp_bridge {

using std::chrono::steady_clock;

base::Task<base::Result<void>> IntakeBudget::Hold::take(std::size_t bytes,
                                                        std::chrono::milliseconds limit) {
    const auto until = steady_clock::now() + limit;
    while (budget_.used_ + bytes > budget_.limit_) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now());
        if (interrupted_) co_return base::fail(base::Errc::closed, "stopping");
        if (left.count() <= 0)
            co_return base::fail(base::Errc::busy, "too much mail is being received");
        budget_.waiting_.insert(this);
        co_await signal_.wait(left);
        budget_.waiting_.erase(this);
    }
    bytes_ = bytes;
    budget_.used_ += bytes;
    co_return base::Result<void>();
}

void IntakeBudget::Hold::interrupt() {
    interrupted_ = true;
    signal_.notify();
}

void IntakeBudget::Hold::release() {
    budget_.used_ -= bytes_;
    bytes_ = 0;
    for (Hold* hold : budget_.waiting_)
        hold->signal_.notify();
}

}  // namespace smtp_bridge
