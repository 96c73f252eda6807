// Flow: who may send now, and how trouble narrows the window.
#include "component/outgoing/flow.hpp"

#include "support/fakes.hpp"
#include "support/run_until.hpp"

#include <optional>

#include <catch2/catch.hpp>

using component::Flow;

namespace {

struct FlowSender {
    boost::asio::io_context io;
    std::shared_ptr<Flow> flow = std::make_shared<Flow>(io.get_executor());

    /// Asks for a place; granted or not, once the loop has nothing more to do at once.
    struct Asked {
        std::optional<Flow::Permit> permit;
        bool granted = false;
    };
    std::shared_ptr<Asked> ask(std::size_t bytes, std::size_t content, std::size_t most) {
        auto asked = std::make_shared<Asked>();
        asked->permit.emplace(flow);
        base::spawn(io.get_executor(), "sender", [=]() -> base::Task<void> {
            co_await asked->permit->acquire(bytes, content, most);
            asked->granted = true;
        });
        settle();
        return asked;
    }
    void settle() {
        io.restart();
        io.poll();
    }
};

}  // namespace

TEST_CASE("One stanza may always go, and others as long as the peer has room for what is in them") {
    FlowSender sender;
    for (int round = 0; round < 3; ++round) {
        const auto first = sender.ask(10, 100, 250);
        const auto second = sender.ask(10, 100, 250);
        const auto third = sender.ask(10, 100, 250);
        CHECK(first->granted);
        CHECK(second->granted);
        CHECK_FALSE(third->granted);
        first->permit.reset();
        sender.settle();
        CHECK(third->granted);
        second->permit.reset();
        third->permit.reset();
        // All has been given back.
        CHECK(sender.flow->is_idle());
    }
}

TEST_CASE("Who has waited longest is served first, though another one would fit") {
    FlowSender sender;
    const auto large = sender.ask(sender.flow->stanza(), 0, 1000);
    const auto next = sender.ask(sender.flow->stanza(), 0, 1000);
    const auto small = sender.ask(1, 0, 1000);
    CHECK(large->granted);
    CHECK_FALSE(next->granted);
    CHECK_FALSE(small->granted);
    large->permit.reset();
    sender.settle();
    CHECK(next->granted);
    CHECK_FALSE(small->granted);
    next->permit.reset();
    sender.settle();
    CHECK(small->granted);
}

TEST_CASE("Trouble halves the window once for all that was on its way together") {
    FlowSender sender;
    const std::size_t window = sender.flow->stanza();
    {
        const auto first = sender.ask(10, 0, 1000);
        const auto second = sender.ask(10, 0, 1000);
        first->permit->failed();
        CHECK(sender.flow->stanza() == window / 2);
        second->permit->failed();
        CHECK(sender.flow->stanza() == window / 2);
    }
    const auto later = sender.ask(10, 0, 1000);
    later->permit->failed();
    CHECK(sender.flow->stanza() == window / 4);
}

// RFC 6120 13.12.
TEST_CASE("The window is never too small for what every server passes on") {
    FlowSender sender;
    for (int i = 0; i < 20; ++i)
        sender.ask(10, 0, 1000)->permit->failed();
    CHECK(sender.flow->stanza() == 8192);
    CHECK(sender.flow->piece() == 8192);
}
