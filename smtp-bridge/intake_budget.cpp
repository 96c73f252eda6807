#include "smtp-bridge/intake_budget.hpp"

#include <boost/asio.hpp>

namespace smtp_bridge {

using std::chrono::steady_clock;

base::Task<base::Result<void>> IntakeBudget::Hold::grow_to(std::size_t bytes,
                                                           std::chrono::milliseconds limit) {
    const auto until = steady_clock::now() + limit;
    while (bytes > bytes_ && !budget_.try_take(*this, bytes - bytes_)) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now());
        if (interrupted_) co_return base::fail(base::Errc::closed, "stopping");
        if (left.count() <= 0)
            co_return base::fail(base::Errc::busy, "too much mail is being received");
        budget_.waiting_.insert(this);
        co_await signal_.wait(left);
        budget_.waiting_.erase(this);
    }
    co_return base::Result<void>();
}

void IntakeBudget::Hold::interrupt() {
    interrupted_ = true;
    signal_.notify();
}

void IntakeBudget::Hold::release() {
    budget_.used_ -= bytes_;
    bytes_ = 0;
    if (budget_.beyond_ == this) budget_.beyond_ = nullptr;
    for (Hold* hold : budget_.waiting_)
        hold->signal_.notify();
}

bool IntakeBudget::try_take(Hold& hold, std::size_t bytes) {
    const bool fits = bytes <= limit_ && used_ <= limit_ - bytes;
    if (!fits && beyond_ != nullptr && beyond_ != &hold) return false;
    if (!fits) beyond_ = &hold;
    used_ += bytes;
    hold.bytes_ += bytes;
    return true;
}

}  // namespace smtp_bridge
