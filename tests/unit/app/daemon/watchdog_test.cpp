#include "app/daemon/watchdog.hpp"

#include "base/task_group.hpp"
#include "support/run_until.hpp"

#include <future>

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

/// Answers nothing before `opened` says so.
class ShutLedger final : public queue::Ledger {
  public:
    explicit ShutLedger(std::shared_future<void> opened) : opened_(std::move(opened)) {}
    std::vector<base::Result<queue::Answer>> run(const Next& next) override {
        std::vector<base::Result<queue::Answer>> answers;
        while (next() != nullptr) {
            opened_.wait();
            answers.emplace_back(queue::Answer(std::vector<queue::KnownTransfer>()));
        }
        return answers;
    }
    const std::optional<base::Error>& damage() const override { return damage_; }
    void release() override {}

  private:
    std::shared_future<void> opened_;
    std::optional<base::Error> damage_;
};

}  // namespace

TEST_CASE("who watches hears of us again and again, but not while the storage thread is stuck") {
    boost::asio::io_context io;
    std::promise<void> open;
    queue::StorageThread storage(io.get_executor(),
                                 std::make_unique<ShutLedger>(open.get_future().share()));
    int told = 0;
    app::Watchdog watchdog(io.get_executor(), storage, 3ms, [&] { ++told; });
    base::TaskGroup tasks(io.get_executor());
    tasks.spawn("watchdog", [&] { return watchdog.go_on(); });
    for (int turn = 0; turn < 100; ++turn)
        io.poll();
    CHECK(told == 0);
    open.set_value();
    run_until(io, [&] { return told >= 3; });
    watchdog.stop();
    bool ended = false;
    base::spawn(io.get_executor(), "end", [&]() -> base::Task<void> {
        co_await tasks.join();
        ended = true;
    });
    run_until(io, [&] { return ended; });
}
