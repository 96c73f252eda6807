#include "component/outgoing/flow.hpp"

#include <algorithm>

namespace component {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::size_t kLeast = 8u << 10;  // below what every server must pass (RFC 6120 13.12)
constexpr std::size_t kMost = 2u << 20;   // a fast server needs no more, and memory is bounded
constexpr std::size_t kStanzas = 64;  // on their way at once; more is more than a peer has to take
constexpr std::size_t kHorizon = 5;   // seconds of measured goodput that may be on their way
constexpr auto kQuick = 1s;           // an answer within it leaves room for more
constexpr auto kTurnAgain = std::chrono::minutes(1);  // a bound on a wait that always ends earlier

}  // namespace

std::size_t Flow::piece() const {
    // Two at least are on their way, so that the peer's disk and the link work at the same time.
    return std::max(window_ / 2, kLeast);
}

bool Flow::has_room(std::size_t bytes, std::size_t content, std::size_t most) const {
    return stanzas_ == 0 ||
           (stanzas_ < kStanzas && bytes_ + bytes <= window_ && content_ + content <= most);
}

void Flow::wake() {
    if (!waiting_.empty()) waiting_.front()->turn.notify();
}

base::Task<void> Flow::Permit::acquire(std::size_t bytes, std::size_t content, std::size_t most) {
    if (!flow_->waiting_.empty() || !flow_->has_room(bytes, content, most)) {
        Waiter waiter(*flow_);
        while (flow_->waiting_.front() != &waiter || !flow_->has_room(bytes, content, most))
            co_await waiter.turn.wait(kTurnAgain);
    }
    ++flow_->stanzas_;
    bytes_ = bytes;
    content_ = content;
    flow_->bytes_ += bytes;
    flow_->content_ += content;
    together_ = flow_->bytes_;
    epoch_ = flow_->epoch_;
    sent_ = steady_clock::now();
    flow_->wake();
}

Flow::Permit::~Permit() {
    if (bytes_ == 0) return;
    --flow_->stanzas_;
    flow_->bytes_ -= bytes_;
    flow_->content_ -= content_;
    flow_->wake();
}

void Flow::Permit::answered() {
    const auto took = std::chrono::duration<double>(steady_clock::now() - sent_);
    const double rate = static_cast<double>(together_) / std::max(took.count(), 1e-4);
    const double bearable = rate * kHorizon;
    std::size_t& window = flow_->window_;
    if (took < kQuick || bearable > static_cast<double>(window)) {
        window = std::min(window + bytes_, kMost);
    } else if (together_ > window / 2) {
        // Only what nearly filled it says that it was too wide.
        window = std::max({static_cast<std::size_t>(bearable), window / 2, kLeast});
    }
}

void Flow::Permit::failed() {
    if (epoch_ != flow_->epoch_) return;
    ++flow_->epoch_;
    flow_->window_ = std::max(flow_->window_ / 2, kLeast);
}

}  // namespace component
