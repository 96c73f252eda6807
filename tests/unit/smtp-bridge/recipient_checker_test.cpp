// The recipient check (C) with a scripted MTA (S).
#include "smtp-bridge/recipient_checker.hpp"

#include "fixture.hpp"

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
          checker(io.get_executor(), {{{"", {*Target::parse("lmtp:unix:" + folder.socket())}}},
                                      {"mail.b.test", {}},
                                      std::chrono::seconds(2)}) {}
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
        fixture::run(io, [&]() -> base::Task<void> { co_await checker.stop(); });
        return server.trouble();
    }
    Folder folder;
    ScriptedServer server;
    asio::io_context io;
    RecipientChecker checker;
};

}  // namespace

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

TEST_CASE("the cache is bounded, in number and in time") {
    RecipientCache cache(10);
    const RecipientCache::TimePoint now{};
    const mail::Reply yes{250, {2, 1, 5}, ""};
    for (int i = 0; i < 100; ++i)
        cache.add({}, mailbox(("r" + std::to_string(i) + "@b.test").c_str()), yes, now);
    CHECK(cache.size() == 10);
    const auto last = mailbox("r99@b.test");
    for (int i = 0; i < 100; ++i)
        cache.add({}, last, yes, now);
    CHECK(cache.size() <= 10);
    CHECK(cache.find({}, last, now + std::chrono::seconds(59)));
    CHECK_FALSE(cache.find({}, last, now + std::chrono::seconds(60)));
    cache.add({}, last, {451, {4, 3, 0}, ""}, now);
    CHECK(cache.find({}, last, now)->code == 250);
}
