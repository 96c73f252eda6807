#include "queue/peer_report.hpp"

#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;

TEST_CASE("a report waits in the queue as text, and comes out as it was") {
    const queue::PeerReport report{
        {domain("a.test"), "018f0a"},
        3,
        {{0, mail::Action::failed, reply(550, "5.1.1", "No such user; sorry"), base::TimePoint(),
          "mx.b.test", ""},
         {7, mail::Action::delivered, reply(250, "2.0.0", ""), base::TimePoint(), "",
          "j\xc3\xbcrgen@b.test"}}};
    const auto again = queue::decode_peer_report(queue::encode(report));
    REQUIRE(again.has_value());
    CHECK(*again == report);
}

TEST_CASE("words that would break a stored report's lines are made harmless") {
    queue::PeerReport report{{domain("a.test"), "018f0a"}, 1, {}};
    report.recipients.push_back({0, mail::Action::failed, reply(550, "5.0.0", "a\tb\r\n1\tfailed"),
                                 base::TimePoint(), "x\ty", ""});
    const auto again = queue::decode_peer_report(queue::encode(report));
    REQUIRE(again.has_value());
    REQUIRE(again->recipients.size() == 1);
    CHECK(again->recipients[0].reply.text == "a?b??1?failed");
    CHECK(again->recipients[0].mta == "x?y");
}

TEST_CASE("what is no stored report is said to be damaged") {
    for (const char* text :
         {"", "report", "report\ta\tb\tc\r\n", "report\tid\ta.test\t1\r\n",
          "report\tid\ta.test\t1\r\n0\tlost\t1970-01-01T00:00:00Z\t550\t5.0.0\t\t\t\r\n"}) {
        const auto report = queue::decode_peer_report(text);
        REQUIRE(!report);
        CHECK(report.error().code == base::Errc::storage);
    }
}
