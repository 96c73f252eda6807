// The client's MAIL and RCPT: more recipients than one transaction, or one link, takes.
#include "smtp-bridge/client/client.hpp"
#include "support/smtp-bridge/hop.hpp"
#include "support/smtp-bridge/little_server.hpp"

using namespace smtp_bridge;
using dialogue::Folder;
using fixture::Hop;
using fixture::kHello;
using fixture::mailbox;
using fixture::message;
using fixture::Outcomes;

namespace {

/// A courier whose next hop is a LittleServer.
struct Little {
    struct Count {
        std::size_t delivered = 0;
        std::size_t failed = 0;
    };
    explicit Little(const dialogue::Manners& manners)
        : server(folder.socket(), manners), pools(io.get_executor(), {"mail.b.test", {}}) {
        const std::string protocol = manners.lmtp ? "lmtp" : "smtp";
        target = *Target::parse(protocol + ":unix:" + folder.socket());
    }
    Count deliver(const std::vector<std::string>& to) {
        auto leased = message("x\r\n", {});
        for (const auto& address : to) {
            const auto n = static_cast<std::uint32_t>(leased.envelope.recipients.size());
            leased.envelope.recipients.push_back({n, mailbox(address.c_str()), {}, ""});
        }
        SmtpCourier courier(io.get_executor(), pools,
                            {{{"", {target}}}, {}, "mail.b.test", "mail.b.test", {}});
        Count count;
        queue::Tell tell = [&](const queue::MessageOutcome& told) {
            for (const auto& each : told.recipients) {
                count.delivered += std::holds_alternative<queue::Delivered>(each.outcome) ? 1 : 0;
                count.failed += std::holds_alternative<queue::Failed>(each.outcome) ? 1 : 0;
            }
        };
        fixture::run(io, [&]() -> base::Task<void> {
            std::vector<queue::LeasedMessage> messages(1, leased);
            const queue::Destination local{queue::Lane::local, "", ""};
            co_await courier.deliver(local, std::move(messages), tell);
            co_await pools.stop();
        });
        return count;
    }

    Folder folder;
    dialogue::LittleServer server;
    asio::io_context io;
    Pools pools;
    Target target;
};

/// bob0@b.test and so on.
std::vector<std::string> many(const std::string& name, std::size_t count) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i)
        names.push_back(name + std::to_string(i) + "@b.test");
    return names;
}

}  // namespace

// RFC 5321 4.5.3.1.10.
TEST_CASE("those who are too many for a transaction get another one at once") {
    const std::string too_many =
        GENERATE("452 4.5.3 too many", "452 too many", "552 too many", "552 5.5.3 too many");
    INFO(too_many);
    Hop hop("smtp", {kHello + R"(
        C: MAIL FROM:<alice@a.test> SIZE=12
        C: RCPT TO:<bob@b.test>
        C: RCPT TO:<carol@b.test>
        C: RCPT TO:<dora@b.test>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: )" + too_many +
                     R"(
        S: 550 5.1.1 no
        S: 354 go
        C: Subject: x
        C: .
        S: 250 2.0.0 one
        C: MAIL FROM:<alice@a.test> SIZE=12
        C: RCPT TO:<carol@b.test>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 354 go
        C: Subject: x
        C: .
        S: 250 2.0.0 two
        C: QUIT
        S: 221 bye)"});
    CHECK(hop.deliver(message("Subject: x\r\n", {"bob@b.test", "carol@b.test", "dora@b.test"})) ==
          Outcomes{"delivered 250 2.0.0", "delivered 250 2.0.0", "failed 550 5.1.1"});
    CHECK(hop.trouble() == "");
}

TEST_CASE("what it turned out to take is what the next transactions have") {
    dialogue::Manners manners;
    manners.recipients = 20;
    Little little(manners);
    CHECK(little.deliver(many("bob", 100)).delivered == 100);
    const auto taken = little.server.taken();
    REQUIRE(taken.size() == 5);
    for (const auto& each : taken)
        CHECK(each.size() == 20);
    CHECK(little.server.greeted() == 1);
}

// RFC 5321 4.5.3.1.10.
TEST_CASE("too many from the first one on is a matter of time") {
    const auto [said, becomes] = GENERATE(table<std::string, std::string>({
        {"452 4.5.3 too many", "deferred 452 4.5.3"},
        {"552 too many", "deferred 452 4.5.3"},
        {"552 5.5.3 too many", "deferred 452 4.5.3"},
        {"552 5.2.2 mailbox full", "failed 552 5.2.2"},
    }));
    Hop hop("smtp", {kHello + R"(
        C: MAIL FROM:<alice@a.test> SIZE=12
        C: RCPT TO:<bob@b.test>
        C: DATA
        S: 250 ok
        S: )" + said +
                     R"(
        S: 503 no
        C: RSET
        S: 250 ok
        C: QUIT
        S: 221 bye)"});
    CHECK(hop.deliver(message("Subject: x\r\n", {"bob@b.test"})) == Outcomes{becomes});
    CHECK(hop.trouble() == "");
}

// RFC 9422.
TEST_CASE("a server's LIMITS are kept, without asking whether it means them") {
    const std::string hello = R"(
        S: 220 mx.b.test ready
        C: EHLO mail.b.test
        S: 250-mx.b.test at your service
        S: 250-PIPELINING
        S: 250 LIMITS MAILMAX=2 RCPTMAX=1 SOMEMAX=0 RCPTDOMAINMAX=x
    )";
    const auto mail = [](const std::string& to) {
        return "C: MAIL FROM:<alice@a.test>\nC: RCPT TO:<" + to +
               ">\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nC: Subject: x\nC: .\nS: 250 2.0.0\n";
    };
    Hop hop("smtp", {hello + mail("bob@b.test") + mail("carol@b.test") + "C: QUIT\nS: 221 bye\n",
                     hello + mail("dora@b.test") + "C: QUIT\nS: 221 bye\n"});
    CHECK(hop.deliver(message("Subject: x\r\n", {"bob@b.test", "carol@b.test", "dora@b.test"})) ==
          Outcomes(3, "delivered 250 2.0.0"));
    CHECK(hop.trouble() == "");
}

// RFC 9422 4.
TEST_CASE("a limit of nothing is none") {
    const auto* const limits = GENERATE("MAILMAX=0", "RCPTMAX=0", "RCPTDOMAINMAX=0");
    INFO(limits);
    dialogue::Manners manners;
    manners.limits = std::string("LIMITS ") + limits;
    Little little(manners);
    CHECK(little.deliver({"a@b.test", "a@c.test"}).delivered == 2);
    CHECK(little.server.taken().size() == 1);
}

// RFC 9422.
TEST_CASE("a transaction has no more domains than the server takes in one") {
    dialogue::Manners manners;
    manners.limits = "LIMITS RCPTDOMAINMAX=1";
    Little little(manners);
    CHECK(little.deliver({"a@b.test", "a@c.test", "b@b.test"}).delivered == 3);
    using Taken = std::vector<std::vector<std::string>>;
    CHECK(little.server.taken() == Taken{{"a@b.test", "b@b.test"}, {"a@c.test"}});
}

TEST_CASE("many unknown recipients keep none of the others waiting") {
    dialogue::Manners manners;
    manners.errors = GENERATE(std::size_t{1}, std::size_t{20}, std::size_t{1000});
    manners.lmtp = GENERATE(false, true);
    Little little(manners);
    auto to = many("dead", 60);
    to.push_back("bob@b.test");
    const auto outcomes = little.deliver(to);
    CHECK(outcomes.delivered == 1);
    CHECK(outcomes.failed == 60);
    // Postfix is slow to answer from the tenth refusal of a link on.
    CHECK(little.server.most_refusals() < 10);
}
