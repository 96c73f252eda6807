// Senders of ours and their limits: C is our mail server, S the intake.
#include "support/fakes.hpp"
#include "support/smtp-bridge/fixture.hpp"

#include <catch2/catch.hpp>

using fixture::RunningServer;
using smtp_bridge::ListenerSettings;
using smtp_bridge::Protocol;

namespace {

/// An intake whose senders may send 2 messages, to 3 recipients, at once.
struct LimitedIntake {
    explicit LimitedIntake(queue::Beyond beyond)
        : counts({{{2, 3, 10}, std::chrono::hours(1), beyond}, {}, {}}, clock,
                 [](const queue::SenderAlarm&) {}),
          server(Protocol::smtp, [this](ListenerSettings& s) { s.senders = &counts; }) {}

    /// Plays `script` behind the greeting.
    std::string play(const std::string& script) {
        auto line = server.connect();
        const auto hello = dialogue::play(line, "S: 220\nC: HELO client\nS: 250", 'C');
        return hello.empty() ? dialogue::play(line, script, 'C') : hello;
    }
    /// Of alice@a.test, all that she has sent.
    queue::SenderFigures of_alice() const {
        const auto rows = counts.list(10);
        for (const auto& row : rows) {
            if (row.name == "alice@a.test") return row.last_hour;
        }
        return {};
    }

    support::ManualClock clock;
    queue::SenderCounts counts;
    RunningServer server;
};

std::string mail_from(const std::string& from) {
    return "C: MAIL FROM:<" + from + R"(>
        S: 250
        C: RCPT TO:<bob@b.test>
        S: 250
        C: DATA
        S: 354
        C: Subject: x
        C: .
        S: 250 2.0.0 Ok: queued as
        )";
}

const std::string kAliceMail = mail_from("alice@a.test");

}  // namespace

TEST_CASE("what is beyond a sender's limits is put off at MAIL, or at the recipient that is") {
    LimitedIntake intake(queue::Beyond::refuse);
    CHECK(intake.play(kAliceMail + R"(
        C: MAIL FROM:<Alice@A.test>
        S: 250
        C: RCPT TO:<bob@b.test>
        S: 250
        C: RCPT TO:<carol@b.test>
        S: 250
        C: RCPT TO:<dave@b.test>
        S: 450 4.7.1 this sender has sent more
        C: DATA
        S: 354
        C: Subject: x
        C: .
        S: 250 2.0.0 Ok: queued as
        C: MAIL FROM:<alice@a.test>
        S: 450 4.7.1 this sender has sent more
        C: RCPT TO:<bob@b.test>
        S: 503
        )" + mail_from("juergen@a.test")) == "");
    CHECK(intake.server.intake.taken.size() == 3);
    CHECK(intake.of_alice() == queue::SenderFigures{2, 3, 0});
}

TEST_CASE("only what has been taken counts, and only for senders of ours") {
    LimitedIntake intake(queue::Beyond::refuse);
    intake.server.intake.failure = base::Errc::storage;
    CHECK(intake.play(R"(
        C: MAIL FROM:<alice@a.test>
        S: 250
        C: RCPT TO:<bob@b.test>
        S: 250
        C: RSET
        S: 250
        C: MAIL FROM:<alice@a.test>
        S: 250
        C: RCPT TO:<bob@b.test>
        S: 250
        C: DATA
        S: 354
        C: Subject: x
        C: .
        S: 452 4.3.1
        )") == "");
    intake.server.intake.failure.reset();
    CHECK(intake.counts.list(10).empty());
    std::string many;
    for (int i = 0; i < 3; ++i)
        many += mail_from("") + mail_from("list@elsewhere.test");
    CHECK(intake.play(many + kAliceMail + kAliceMail) == "");
    CHECK(intake.counts.size() == 1);
    CHECK(intake.of_alice() == queue::SenderFigures{2, 2, 0});
}

TEST_CASE("or it is taken and held, and no sender's mail but that") {
    LimitedIntake intake(queue::Beyond::hold);
    CHECK(intake.play(kAliceMail + kAliceMail + kAliceMail + mail_from("juergen@a.test")) == "");
    const auto& taken = intake.server.intake.taken;
    REQUIRE(taken.size() == 4);
    CHECK_FALSE(taken[0].held);
    CHECK_FALSE(taken[1].held);
    CHECK(taken[2].held == std::string(queue::kSenderHeld));
    CHECK_FALSE(taken[3].held);
}

TEST_CASE("by default it goes as it came") {
    LimitedIntake intake(queue::Beyond::log);
    CHECK(intake.play(kAliceMail + kAliceMail + kAliceMail + kAliceMail) == "");
    REQUIRE(intake.server.intake.taken.size() == 4);
    CHECK_FALSE(intake.server.intake.taken[3].held);
    CHECK(intake.of_alice() == queue::SenderFigures{4, 4, 0});
}
