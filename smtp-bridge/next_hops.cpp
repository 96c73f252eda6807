#include "smtp-bridge/next_hops.hpp"

#include <boost/asio.hpp>

namespace smtp_bridge {

NextHops::NextHops(const asio::any_io_executor& executor, const std::vector<Target>& targets,
                   const ClientSettings& client) {
    for (const auto& target : targets) {
        pools_.push_back(std::make_unique<Pool>(executor, PoolSettings{target, client}));
        name_ += (name_.empty() ? "" : ", ") + target.to_text();
    }
}

base::Task<std::variant<Pool::Lease, mail::Reply>> NextHops::take(
    Pool::Want want, std::optional<Pool::TimePoint> until) {
    std::optional<mail::Reply> trouble;
    const bool all_failed = recent_failure().has_value();
    for (const auto& pool : pools_) {
        if (!all_failed && pool->recent_failure()) continue;
        auto taken = co_await pool->take(want, until);
        if (std::holds_alternative<Pool::Lease>(taken)) co_return taken;
        trouble = std::get<mail::Reply>(std::move(taken));
    }
    co_return *trouble;
}

std::optional<mail::Reply> NextHops::recent_failure() const {
    std::optional<mail::Reply> failure;
    for (const auto& pool : pools_) {
        failure = pool->recent_failure();
        if (!failure) break;
    }
    return failure;
}

base::Task<void> NextHops::stop() {
    for (const auto& pool : pools_)
        co_await pool->stop();
}

}  // namespace smtp_bridge
