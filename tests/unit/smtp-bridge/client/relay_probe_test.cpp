// Which of two servers (S) sends mail on to other domains? No mail is sent to find out.
#include "smtp-bridge/client/relay_probe.hpp"

#include "support/smtp-bridge/fixture.hpp"

using namespace smtp_bridge;
using dialogue::Folder;
using dialogue::ScriptedServer;

namespace {

std::string server_that_says(const std::string& reply) {
    return R"(
    S: 220 mx.a.test ESMTP
    C: EHLO mx.a.test
    S: 250 mx.a.test
    C: MAIL FROM:<>
    S: 250 2.1.0 Ok
    C: RCPT TO:<postmaster@packetboat.invalid>
    S: )" + reply +
           R"(
    C: RSET
    S: 250 2.0.0 Ok
    C: QUIT
    S: 221 2.0.0 Bye)";
}

const std::string kTakes = server_that_says("250 2.1.5 Ok");
const std::string kRefuses =
    server_that_says("554 5.7.1 <postmaster@packetboat.invalid>: Relay access denied");

struct Asked {
    HandOverState state;
    std::string trouble;
};

/// An empty script: nobody listens there.
Asked ask(const std::string& deliver_to, const std::string& return_to) {
    Folder deliver_folder;
    Folder return_folder;
    std::optional<ScriptedServer> deliver_server;
    std::optional<ScriptedServer> return_server;
    if (!deliver_to.empty())
        deliver_server.emplace(deliver_folder.socket(), std::vector{deliver_to});
    if (!return_to.empty()) return_server.emplace(return_folder.socket(), std::vector{return_to});
    asio::io_context io;
    Asked asked;
    fixture::run(io, [&]() -> base::Task<void> {
        std::vector<Target> deliver{*Target::parse("smtp:unix:" + deliver_folder.socket())};
        std::vector<Target> back{*Target::parse("smtp:unix:" + return_folder.socket())};
        ClientSettings settings{"mx.a.test", {}};
        const std::chrono::milliseconds limit = std::chrono::seconds(10);
        HandOverState state = co_await probe_hand_over(std::move(deliver), std::move(back),
                                                       std::move(settings), limit);
        asked.state = std::move(state);
    });
    if (deliver_server) asked.trouble += deliver_server->trouble();
    if (return_server) asked.trouble += return_server->trouble();
    return asked;
}

}  // namespace

TEST_CASE("servers in each other's place are found, and named with their words") {
    const auto asked = ask(kTakes, kRefuses);
    CHECK(asked.trouble == "");
    CHECK(asked.state.known);
    CHECK(asked.state.is_swapped());
    const std::string text = asked.state.to_text();
    CHECK(text.find("Relay access denied") != text.npos);
    CHECK(text.ends_with("the two are swapped"));
}

TEST_CASE("a return-to that takes is enough: nobody else is asked") {
    const auto asked = ask("", kTakes);
    CHECK(asked.trouble == "");
    CHECK(asked.state.known);
    CHECK(asked.state.refuses.empty());
}

TEST_CASE("a return-to that refuses is told, and is no proof of more") {
    const auto asked = ask(kRefuses, kRefuses);
    CHECK(asked.trouble == "");
    CHECK(asked.state.known);
    CHECK_FALSE(asked.state.refuses.empty());
    CHECK_FALSE(asked.state.is_swapped());
}

TEST_CASE("who can't be reached leaves the question open") {
    const auto both = ask("", "");
    CHECK_FALSE(both.state.known);
    CHECK_FALSE(both.state.is_swapped());
    const auto one = ask("", kRefuses);
    CHECK_FALSE(one.state.known);
    CHECK_FALSE(one.state.is_swapped());
    const auto busy = ask("S: 421 4.3.2 Too busy", kRefuses);
    CHECK_FALSE(busy.state.known);
}

// RFC 3463 3.8.
TEST_CASE("only a refusal to relay as such counts, by whatever server") {
    const auto relaying = [](int code, mail::EnhancedStatus status, const char* text) {
        return relaying_of({code, status, text});
    };
    CHECK(relaying(250, {2, 1, 5}, "Ok") == Relaying::takes);
    CHECK(relaying(554, {5, 7, 1}, "Relay access denied") == Relaying::refuses);
    CHECK(relaying(550, {5, 0, 0}, "relay not permitted") == Relaying::refuses);
    CHECK(relaying(550, {5, 1, 2}, "Domain not found") == Relaying::unknown);
    CHECK(relaying(550, {5, 0, 0}, "Unrouteable address") == Relaying::unknown);
    CHECK(relaying(550, {5, 1, 1}, "No such user here") == Relaying::unknown);
    CHECK(relaying(454, {4, 7, 1}, "Relay access denied") == Relaying::unknown);
    CHECK(relaying(451, {4, 3, 0}, "Temporary lookup failure") == Relaying::unknown);
}
