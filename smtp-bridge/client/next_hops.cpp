#include "smtp-bridge/client/next_hops.hpp"

#include <boost/asio.hpp>

namespace smtp_bridge {

NextHops::NextHops(Pools& pools, const std::vector<Target>& targets) {
    for (const auto& target : targets) {
        pools_.push_back(&pools.of(target));
        name_ += (name_.empty() ? "" : ", ") + target.to_text();
    }
}

base::Task<Pool::Taken> NextHops::take(Pool::Want want, std::optional<Pool::TimePoint> until) {
    std::vector<Pool*> up;
    std::vector<Pool*> down;  // and not tried for a moment
    for (Pool* const pool : pools_) {
        if (!pool->is_down())
            up.push_back(pool);
        else if (!pool->recent_failure())
            down.push_back(pool);
    }
    if (!up.empty()) {
        for (Pool* const pool : down)
            pool->probe();
    }
    auto trouble = recent_failure();
    for (const auto& group : {up, down}) {
        for (Pool* const pool : group) {
            const Pool::Terms terms{want, until, pool != group.back()};
            auto taken = co_await pool->take(terms);
            if (std::holds_alternative<Pool::Lease>(taken)) co_return taken;
            trouble = std::get<mail::Reply>(std::move(taken));
        }
    }
    co_return *trouble;
}

std::optional<mail::Reply> NextHops::recent_failure() const {
    std::optional<mail::Reply> failure;
    for (const Pool* const pool : pools_) {
        failure = pool->recent_failure();
        if (!failure) break;
    }
    return failure;
}

bool Attempts::go_on(const Client& link, std::size_t left) {
    if (left == 0) return false;
    if (left < left_) {
        left_ = left;
        want_ = Pool::Want::any;
        return true;
    }
    // Its pool knows, and passes it over.
    if (link.silence() && silences_ > 0) {
        --silences_;
        want_ = Pool::Want::any;
        return true;
    }
    // A kept link that died while it was idle says nothing about the mail.
    if (link.is_stale() && want_ != Pool::Want::fresh) {
        want_ = Pool::Want::fresh;
        return true;
    }
    return false;
}

}  // namespace smtp_bridge
