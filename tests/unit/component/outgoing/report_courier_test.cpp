#include "component/outgoing/report_courier.hpp"

#include "support/component/doubles.hpp"
#include "support/contents.hpp"

#include <catch2/catch.hpp>

using namespace component;
using namespace doubles;

namespace {

struct Reporting : World {
    queue::LeasedMessage report(std::uint32_t seq) const {
        const queue::PeerReport what{{domain("b.test"), "018f00000001"},
                                     seq,
                                     {{0,
                                       mail::Action::failed,
                                       {552, {5, 2, 2}, "Mailbox is full"},
                                       base::TimePoint(),
                                       "mx.a.test",
                                       ""}}};
        queue::LeasedMessage leased;
        leased.id = queue::QueueId{seq};
        leased.envelope = envelope("", {"bob@b.test"});
        leased.content = mail::Content(encode(what));
        return leased;
    }
    std::vector<queue::MessageOutcome> send(std::vector<queue::LeasedMessage> messages) {
        return support::run<std::vector<queue::MessageOutcome>>(
            io, [&]() -> base::Task<std::vector<queue::MessageOutcome>> {
                std::vector<queue::MessageOutcome> told;
                queue::Tell tell = [&](queue::MessageOutcome outcome) {
                    told.push_back(std::move(outcome));
                };
                co_await courier.deliver(destination, std::move(messages), tell);
                co_return told;
            });
    }
    queue::Outcome outcome_of(IqReply reply) {
        deliver = [reply](const ScriptedLink::Asked&) { return reply; };
        const auto told = send({report(1)});
        REQUIRE(told.size() == 1);
        REQUIRE(told[0].recipients.size() == 1);
        return told[0].recipients[0].outcome;
    }

    queue::Destination destination{queue::Lane::report, "mail.a.test", "mail.b.test"};
    ReportCourier courier{{{"mail.a.test", &link}}, *discovery, std::chrono::seconds(1)};
};

bool gives_up(const queue::Outcome& outcome) {
    return std::holds_alternative<queue::Failed>(outcome);
}

}  // namespace

TEST_CASE("a report goes to the component that the mail came from, and is done when that says so") {
    Reporting a;
    const auto outcome = a.outcome_of(result(""));
    CHECK(std::holds_alternative<queue::Delivered>(outcome));
    REQUIRE(a.link.asked.size() == 1);
    CHECK(a.link.asked[0].to == "mail.b.test");
    CHECK(a.link.asked[0].type == "set");
    CHECK(a.link.asked[0].payload.find("<report ") == 0);
    CHECK(a.link.asked[0].payload.find("Mailbox is full") != std::string::npos);
}

TEST_CASE("what the peer does not take for good is given up; what may pass is tried again") {
    Reporting a;
    CHECK(gives_up(
        a.outcome_of(StanzaError{"cancel", "item-not-found", "unknown-transfer", {}, {}})));
    CHECK(
        gives_up(a.outcome_of(StanzaError{"auth", "forbidden", "domain-not-authorized", {}, {}})));
    CHECK(gives_up(a.outcome_of(StanzaError{"modify", "bad-request", "malformed", {}, {}})));
    for (const char* const condition : {"remote-server-not-found", "service-unavailable"}) {
        const auto outcome = a.outcome_of(StanzaError{"cancel", condition, {}, {}, {}});
        REQUIRE(std::holds_alternative<queue::Deferred>(outcome));
        CHECK_FALSE(std::get<queue::Deferred>(outcome).settled);
    }
    const auto later = a.outcome_of(
        StanzaError{"wait", "resource-constraint", "busy", std::chrono::seconds(30), {}});
    REQUIRE(std::holds_alternative<queue::Deferred>(later));
    CHECK(std::get<queue::Deferred>(later).retry_after == std::chrono::seconds(30));
    CHECK(std::get<queue::Deferred>(later).settled);
}

TEST_CASE("a report that is answered by nonsense waits by itself, and the others go on") {
    Reporting a;
    a.deliver = [&](const ScriptedLink::Asked&) -> IqReply {
        if (a.link.asked.size() == 1) return StanzaError{"cancel", "gone-fishing", {}, {}, {}};
        return result("");
    };
    const auto told = a.send({a.report(1), a.report(2)});
    REQUIRE(told.size() == 2);
    CHECK(std::get<queue::Deferred>(told[0].recipients.at(0).outcome).reply.status.subject == 5);
    CHECK(std::holds_alternative<queue::Delivered>(told[1].recipients.at(0).outcome));
}

TEST_CASE("a silent peer is asked once for all that waits, a component without reports never") {
    Reporting a;
    const auto told = a.send({a.report(1), a.report(2), a.report(3)});
    CHECK(told.size() == 3);
    CHECK(a.link.asked.size() == 1);

    a.usual_peer();
    a.infos["mail.b.test"].replace(a.infos["mail.b.test"].find("<value>report</value>"),
                                   std::string("<value>report</value>").size(), "");
    CHECK(a.find("b.test").state == Found::State::supported);
    a.link.asked.clear();
    CHECK(gives_up(a.outcome_of(result(""))));
    CHECK(a.link.asked.empty());
}

namespace {

/// As `report` is, with complaints on two transfers.
queue::LeasedMessage complaints_of(const Reporting& a) {
    auto leased = a.report(9);
    leased.content = mail::Content(queue::encode(
        {{{domain("b.test"), "018f00000001"}, true}, {{domain("b.test"), "018f00000002"}, false}}));
    return leased;
}

/// It takes complaints.
void announce_complaints(Reporting& a, const std::string& component) {
    const std::string report = "<value>report</value>";
    auto& info = a.infos[component];
    info.replace(info.find(report), report.size(), report + "<value>complaint</value>");
}

}  // namespace

TEST_CASE("complaints go one by one, and what the peer does not take keeps no other") {
    Reporting a;
    a.usual_peer();
    announce_complaints(a, "mail.b.test");
    std::vector<queue::Complaint> told;
    a.deliver = [&](const ScriptedLink::Asked& asked) -> IqReply {
        const auto payload = read_payload(asked.payload);
        told.push_back(std::get<IncomingComplaint>(payload).complaint);
        if (told.size() == 1)
            return StanzaError{"cancel", "item-not-found", "unknown-transfer", {}, {}};
        return result("");
    };
    const auto outcome = a.send({complaints_of(a)}).at(0).recipients.at(0).outcome;
    CHECK(std::holds_alternative<queue::Delivered>(outcome));
    REQUIRE(told.size() == 2);
    CHECK(told[0] == queue::Complaint{{domain("b.test"), "018f00000001"}, true});
    CHECK_FALSE(told[1].is_spam);
    // A peer that is busy hears all of it again.
    a.deliver = [](const ScriptedLink::Asked&) -> IqReply {
        return StanzaError{"wait", "resource-constraint", "busy", std::chrono::seconds(30), {}};
    };
    const auto later = a.send({complaints_of(a)}).at(0).recipients.at(0).outcome;
    CHECK(std::get<queue::Deferred>(later).retry_after == std::chrono::seconds(30));
}

TEST_CASE("complaints go to who takes them, and to nobody else") {
    Reporting a;
    int asked = 0;
    a.deliver = [&](const ScriptedLink::Asked&) -> IqReply {
        ++asked;
        return result("");
    };
    SECTION("a peer that does not announce it") {
        a.usual_peer();
    }
    SECTION("a component that is not the domain's any more") {
        a.list("b.test", {"other.b.test"});
        a.add_component("other.b.test", {"b.test"});
        announce_complaints(a, "other.b.test");
    }
    CHECK(gives_up(a.send({complaints_of(a)}).at(0).recipients.at(0).outcome));
    CHECK(asked == 0);
}

TEST_CASE("without a link of ours a report waits, and one that is damaged is given up") {
    Reporting a;
    auto damaged = a.report(1);
    damaged.content = mail::Content("nonsense");
    CHECK(gives_up(a.send({damaged}).at(0).recipients.at(0).outcome));
    auto unreadable = a.report(2);
    unreadable.content = support::slow("whatever it is", 0);
    const auto waits = a.send({unreadable, a.report(3)});
    CHECK(std::get<queue::Deferred>(waits.at(0).recipients.at(0).outcome).reply.status ==
          mail::EnhancedStatus{4, 3, 0});
    CHECK(a.link.asked.size() == 1);
    a.link.up = false;
    const auto told = a.send({a.report(1)});
    CHECK(std::holds_alternative<queue::Deferred>(told.at(0).recipients.at(0).outcome));
}

TEST_CASE("a report on more recipients than a stanza takes goes in several, each with its number") {
    Reporting a;
    a.link.settings_.max_stanza = 10000;
    auto report = a.report(5);
    auto what = *queue::decode_peer_report(report.content.bytes());
    for (std::uint32_t n = 1; n < 100; ++n) {
        what.recipients.push_back(what.recipients[0]);
        what.recipients.back().n = n;
        what.recipients.back().reply.text = std::string(500, '"');
    }
    report.content = mail::Content(encode(what));
    std::set<std::uint32_t> numbers;
    std::set<std::uint32_t> recipients;
    bool takes = true;
    a.deliver = [&](const ScriptedLink::Asked& asked) -> IqReply {
        CHECK(asked.payload.size() < 9000);
        const auto payload = read_payload(asked.payload);
        const auto& part = std::get<IncomingReport>(payload).report;
        numbers.insert(part.seq);
        for (const auto& line : part.recipients)
            recipients.insert(line.n);
        if (!takes && numbers.size() == 2)
            return StanzaError{"wait", "resource-constraint", "busy", {}, {}};
        return result("");
    };
    CHECK(
        std::holds_alternative<queue::Delivered>(a.send({report}).at(0).recipients.at(0).outcome));
    CHECK(recipients.size() == 100);
    CHECK(numbers.size() > 1);
    CHECK(*numbers.begin() == 5);
    CHECK(*numbers.rbegin() < 105);
    // If one part waits, all of it is sent again: what was taken is known by its number.
    numbers.clear();
    takes = false;
    CHECK(std::holds_alternative<queue::Deferred>(a.send({report}).at(0).recipients.at(0).outcome));
    CHECK(numbers.size() == 2);
}
