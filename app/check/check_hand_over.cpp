#include "app/check/check_hand_over.hpp"

#include "app/daemon/hand_over_watch.hpp"

namespace app {
namespace {

/// A person looks at it.
constexpr auto kTime = std::chrono::seconds(20);

}  // namespace

void check_hand_over(Findings& findings, const Config& config) {
    base::asio::io_context io(1);
    smtp_bridge::HandOverState state;
    base::spawn(io.get_executor(), "probe",
                [&]() -> base::Task<void> { state = co_await probe_hand_over(config, kTime); });
    io.run();
    // One that can't be reached has a line of its own.
    if (!state.refuses.empty()) findings.add(false, state.to_text());
}

}  // namespace app
