// The recipient check (C) with a scripted MTA (S).
#include "smtp-bridge/client/recipient_checker.hpp"

#include "support/smtp-bridge/fixture.hpp"
#include "support/smtp-bridge/little_server.hpp"

using namespace smtp_bridge;
using dialogue::Folder;
using dialogue::ScriptedServer;
using fixture::mailbox;

namespace {

using Outcomes = std::vector<std::string>;

const std::string kLhlo = R"(
    S: 220 mx.b.test LMTP
    C: LHLO mail.b.test
    S: 250-mx.b.test
    S: 250 PIPELINING
)";

struct Checking {
    explicit Checking(std::vector<std::string> scripts)
        : server(folder.socket(), std::move(scripts)),
          pools(io.get_executor(), {"mail.b.test", {}}),
          checker(
              io.get_executor(), pools,
              {{{"", {*Target::parse("lmtp:unix:" + folder.socket())}}}, std::chrono::seconds(2)}) {
    }
    Outcomes check(const char* from, std::vector<const char*> to) {
        Outcomes outcomes;
        fixture::run(io, [&]() -> base::Task<void> {
            mail::ReversePath sender;
            if (*from != '\0') sender = mailbox(from);
            std::vector<mail::Mailbox> recipients;
            for (const char* address : to)
                recipients.push_back(mailbox(address));
            const auto replies = co_await checker.check(sender, false, recipients);
            for (const auto& reply : replies)
                outcomes.push_back(std::to_string(reply.code) + " " + reply.status.to_text());
        });
        return outcomes;
    }
    std::string trouble() {
        fixture::run(io, [&]() -> base::Task<void> { co_await pools.stop(); });
        return server.trouble();
    }
    Folder folder;
    ScriptedServer server;
    asio::io_context io;
    Pools pools;
    RecipientChecker checker;
};

}  // namespace

// RFC 3463 3.2.
TEST_CASE("recipients are asked for once, and again only when the answer may differ") {
    Checking checking({kLhlo + R"(
        C: MAIL FROM:<alice@a.test>
        C: RCPT TO:<bob@b.test>
        C: RCPT TO:<nobody@b.test>
        S: 250 ok
        S: 250 2.1.5 ok
        S: 550 5.1.1 unknown
        C: RSET
        S: 250 ok
        C: MAIL FROM:<eve@e.test>
        C: RCPT TO:<bob@b.test>
        S: 554 5.7.1 not you
        S: 503 5.5.1 no
        C: RSET
        S: 250 ok
        C: QUIT
        S: 221 bye)"});
    CHECK(checking.check("alice@a.test", {"bob@b.test", "nobody@b.test"}) ==
          Outcomes{"250 2.1.5", "550 5.1.1"});
    CHECK(checking.check("alice@a.test", {"bob@b.test", "nobody@b.test"}) ==
          Outcomes{"250 2.1.5", "550 5.1.1"});
    CHECK(checking.check("eve@e.test", {"nobody@b.test", "bob@b.test", "PostMaster@b.test"}) ==
          Outcomes{"550 5.1.1", "554 5.7.1", "250 2.1.5"});
    CHECK(checking.trouble() == "");
}

TEST_CASE("a check that can't be made says so, and the postmaster is taken all the same") {
    Checking checking({"S: <end>"});
    CHECK(checking.check("", {"bob@b.test", "postmaster@b.test"}) ==
          Outcomes{"451 4.4.1", "250 2.1.5"});
    CHECK(checking.check("", {"\xC3\xA4@b.test"}) == Outcomes{"553 5.6.7"});
    checking.trouble();
}

TEST_CASE("a sender that is refused is refused for itself, whatever the status says") {
    Checking checking({kLhlo + R"(
        C: MAIL FROM:<nobody@a.test>
        C: RCPT TO:<bob@b.test>
        S: 550 5.1.1 no such sender
        S: 503 5.5.1 no
        C: RSET
        S: 250 ok
        C: MAIL FROM:<alice@a.test>
        C: RCPT TO:<bob@b.test>
        S: 250 ok
        S: 250 ok
        C: RSET
        S: 250 ok
        C: QUIT
        S: 221 bye)"});
    CHECK(checking.check("nobody@a.test", {"bob@b.test"}) == Outcomes{"550 5.1.1"});
    CHECK(checking.check("nobody@a.test", {"bob@b.test"}) == Outcomes{"550 5.1.1"});
    CHECK(checking.check("alice@a.test", {"bob@b.test"}) == Outcomes{"250 2.0.0"});
    CHECK(checking.trouble() == "");
}

TEST_CASE("one recipient that needs SMTPUTF8 does not fail the others") {
    const Folder folder;
    dialogue::LittleServer server(folder.socket(), {});
    asio::io_context io;
    Pools pools(io.get_executor(), {"mail.b.test", {}});
    RecipientChecker checker(io.get_executor(), pools,
                             {{{"", {*Target::parse("smtp:unix:" + folder.socket())}}}});
    fixture::run(io, [&]() -> base::Task<void> {
        std::vector<mail::Mailbox> recipients{mailbox("\xC3\xA4@b.test"), mailbox("bob@b.test")};
        const auto replies = co_await checker.check({}, true, recipients);
        CHECK(replies[0].status.to_text() == "5.6.7");
        CHECK(replies[1].code == 250);
        co_await pools.stop();
    });
}

TEST_CASE("a thousand recipients, nearly all unknown, are all answered") {
    // As Postfix does, if its limits are not raised; and more recipients than one transaction
    // takes.
    const Folder folder;
    dialogue::Manners manners;
    manners.errors = 20;
    manners.recipients = 50;
    manners.too_many =
        GENERATE("452 4.5.3 too many", "452 too many", "552 too many", "552 5.5.3 too many");
    dialogue::LittleServer server(folder.socket(), manners);
    asio::io_context io;
    Pools pools(io.get_executor(), {"mail.b.test", {}});
    RecipientChecker checker(io.get_executor(), pools,
                             {{{"", {*Target::parse("smtp:unix:" + folder.socket())}}}});
    fixture::run(io, [&]() -> base::Task<void> {
        std::vector<mail::Mailbox> recipients;
        const auto is_good = [](std::size_t i) { return i % 10 == 7 || (i > 400 && i < 460); };
        for (std::size_t i = 0; i < 1000; ++i) {
            const std::string name = (is_good(i) ? "bob" : "dead") + std::to_string(i) + "@b.test";
            recipients.push_back(mailbox(name.c_str()));
        }
        const auto replies = co_await checker.check(mailbox("alice@a.test"), false, recipients);
        std::size_t right = 0;
        for (std::size_t i = 0; i < replies.size(); ++i)
            right += replies[i].code == (is_good(i) ? 250 : 550) ? 1 : 0;
        CHECK(right == 1000);
        co_await pools.stop();
    });
}

TEST_CASE("the servers of several domains are asked at the same time") {
    // Each of them answers once the other has been asked.
    const Folder first_folder;
    const Folder second_folder;
    std::atomic<dialogue::LittleServer*> other = nullptr;
    dialogue::Manners manners;
    manners.silent_at = "RCPT";
    manners.wakes = [&] { return other != nullptr && other.load()->mails() > 0; };
    dialogue::LittleServer first(first_folder.socket(), manners);
    manners.wakes = [&] { return first.mails() > 0; };
    dialogue::LittleServer second(second_folder.socket(), manners);
    other = &second;
    asio::io_context io;
    Pools pools(io.get_executor(), {"mail.b.test", {}});
    const auto target = [](const Folder& folder) {
        return *Target::parse("smtp:unix:" + folder.socket());
    };
    RecipientChecker checker(io.get_executor(), pools,
                             {{{"", {target(first_folder)}}, {"c.test", {target(second_folder)}}},
                              std::chrono::seconds(3)});
    fixture::run(io, [&]() -> base::Task<void> {
        std::vector<mail::Mailbox> recipients{mailbox("bob@b.test"), mailbox("carol@c.test")};
        const auto replies = co_await checker.check({}, false, recipients);
        CHECK(replies[0].code == 250);
        CHECK(replies[1].code == 250);
        co_await pools.stop();
    });
}
