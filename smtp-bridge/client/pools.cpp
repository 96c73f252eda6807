#include "smtp-bridge/client/pools.hpp"

namespace smtp_bridge {

Pool& Pools::of(const Target& target) {
    auto& pool = pools_[target];
    if (!pool) pool = std::make_unique<Pool>(executor_, PoolSettings{target, client_});
    return *pool;
}

base::Task<void> Pools::stop() {
    base::TaskGroup stopping(executor_);
    for (const auto& [target, pool] : pools_)
        stopping.spawn("stop", [&pool = *pool] { return pool.stop(); });
    co_await stopping.join();
}

}  // namespace smtp_bridge
