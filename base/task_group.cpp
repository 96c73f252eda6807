#include "base/task_group.hpp"

#include <algorithm>

namespace base {
namespace {

Task<void> run_counted(std::shared_ptr<std::function<Task<void>()>> body,
                       std::shared_ptr<TaskGroup::Member> member) {
    co_await (*body)();
    // The captures go before the count does: whoever waits may destroy what they refer to.
    body.reset();
    member.reset();
}

}  // namespace

void TaskGroup::spawn(std::string name, std::function<Task<void>()> body) {
    auto kept = std::make_shared<std::function<Task<void>()>>(std::move(body));
    auto member = std::make_shared<Member>(*this);
    base::spawn(executor_, std::move(name),
                [kept = std::move(kept), member = std::move(member)]() mutable {
                    return run_counted(std::move(kept), std::move(member));
                });
}

Task<void> TaskGroup::join() {
    const auto state = state_;
    // The limit only makes the wait a bounded one, begun anew each time.
    while (state->running > 0)
        co_await state->ended.wait(std::chrono::minutes(1));
}

Task<void> for_each(std::size_t count, std::size_t at_once,
                    std::function<Task<void>(std::size_t)> work) {
    const auto executor = co_await asio::this_coro::executor;
    std::size_t next = 0;
    TaskGroup group(executor);
    const std::function<Task<void>()> worker = [&]() -> Task<void> {
        while (next < count) {
            const std::size_t index = next++;
            co_await work(index);
        }
    };
    const std::size_t workers = std::min(count, at_once);
    for (std::size_t i = 0; i < workers; ++i)
        group.spawn("for_each", worker);
    co_await group.join();
}

}  // namespace base
