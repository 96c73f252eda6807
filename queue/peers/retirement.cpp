#include "queue/peers/retirement.hpp"

namespace queue {

base::Task<base::Result<std::set<std::string>>> Retirement::load() {
    const LoadRetired load;
    auto names = co_await storage_.read(load);
    co_return names;
}

base::Task<base::Result<void>> Retirement::set(std::string component, bool retired) {
    SetRetired set{std::move(component), retired};
    const auto done = co_await storage_.write(std::move(set));
    if (!done) co_return done.error();
    co_return base::Result<void>();
}

}  // namespace queue
