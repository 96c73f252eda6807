// GuardedCheck: many requests at the same time, of one peer under several names, and of a good one.
#include "component/incoming/guarded_check.hpp"

#include "base/task_group.hpp"
#include "support/component/doubles.hpp"

using namespace doubles;
using namespace std::chrono_literals;

namespace {

/// Our own mail server, which answers when the test lets it; only bob is known.
class SlowCheck final : public queue::RecipientCheck {
  public:
    explicit SlowCheck(boost::asio::io_context& io) : io_(io) {}
    base::Task<std::vector<mail::Reply>> check(mail::ReversePath, bool,
                                               std::vector<mail::Mailbox> recipients) override {
        base::OneShot<bool> answer(io_.get_executor());
        asked_.push_back(&answer);
        under_way += recipients.size();
        most_under_way = std::max(most_under_way, under_way);
        co_await answer.wait(1min);
        under_way -= recipients.size();
        std::vector<mail::Reply> replies;
        for (const auto& recipient : recipients)
            replies.push_back(recipient.local_part() == "bob"
                                  ? mail::Reply{250, {2, 1, 5}, "ok"}
                                  : mail::Reply{550, {5, 1, 1}, "No such user here"});
        co_return replies;
    }
    /// Answers the oldest.
    bool answers() {
        if (asked_.empty()) return false;
        asked_.front()->set(true);
        asked_.erase(asked_.begin());
        return true;
    }
    std::size_t under_way = 0;
    std::size_t most_under_way = 0;

  private:
    boost::asio::io_context& io_;
    std::vector<base::OneShot<bool>*> asked_;
};

struct Guarded {
    void asks(const std::string& peer, const std::string& local, std::size_t recipients) {
        ++requests;
        tasks.spawn("asks", [this, peer, local, recipients]() -> base::Task<void> {
            const auto mailbox = mail::Mailbox::parse(local + "@b.test").value();
            std::vector<mail::Mailbox> all(recipients, mailbox);
            auto answers = co_await guarded.check(peer, std::nullopt, false, std::move(all));
            CHECK(answers.size() == recipients);
            ++answered;
            for (const auto& reply : answers)
                ++(reply.is_success() ? accepted : reply.is_permanent() ? refused : later);
        });
        io.restart();
        io.poll();
    }
    /// Until all have an answer.
    void settle() {
        while (answered < requests) {
            const bool some = check.answers();
            io.restart();
            io.poll();
            REQUIRE((some || answered == requests));
        }
    }
    boost::asio::io_context io;
    support::ManualClock clock;
    SlowCheck check{io};
    GuardedCheck guarded{&check, clock};
    base::TaskGroup tasks{io.get_executor()};
    std::size_t requests = 0;
    std::size_t answered = 0;
    std::size_t accepted = 0;
    std::size_t refused = 0;
    std::size_t later = 0;
};

}  // namespace

TEST_CASE(
    "A harvester learns 1000 addresses at once and 50 a minute, however much it asks at once") {
    Guarded b;
    for (int i = 0; i < 35; ++i)
        b.asks("mail.evil.test", "guess", 100);
    b.settle();
    CHECK(b.refused == 1000);
    CHECK(b.later == 2500);
    for (int minute = 1; minute <= 3; ++minute) {
        b.clock.advance(1min);
        for (int i = 0; i < 35; ++i)
            b.asks("mail.evil.test", "guess", 100);
        b.settle();
        CHECK(b.refused == 1000U + 50U * static_cast<unsigned>(minute));
    }
}

TEST_CASE("A clock that is set costs a peer nothing of its allowance, and gives it nothing") {
    for (const std::chrono::minutes by : {-20min, 20min, -525600min, 525600min}) {
        Guarded b;
        b.asks("mail.b.test", "typo", 1);
        b.settle();
        b.clock.jump(by);
        b.asks("mail.b.test", "bob", 1000);
        b.settle();
        CHECK(b.accepted == 1000);
        CHECK(b.later == 0);
        b.asks("mail.evil.test", "guess", 1000);
        b.settle();
        b.clock.jump(by);
        b.asks("mail.evil.test", "guess", 1);
        b.settle();
        CHECK(b.later == 1);
    }
}

TEST_CASE("Several names of one domain are one, and no other") {
    Guarded b;
    for (int i = 0; i < 20; ++i)
        b.asks(fmt::format("m{}.evil.test", i), "guess", 100);
    b.settle();
    CHECK(b.refused == 1000);
    b.asks("mail.good.test", "guess", 1);
    b.settle();
    CHECK(b.refused == 1001);
}

TEST_CASE("A good peer's large lists are looked up whole, a part at a time") {
    Guarded b;
    for (int i = 0; i < 8; ++i)
        b.asks("mail.a.test", "bob", 1000);
    b.settle();
    CHECK(b.accepted == 8000);
    CHECK(b.check.most_under_way <= 1000);
    CHECK(b.guarded.remembered() == 0);
    // One with old subscribers among them, too.
    b.asks("mail.a.test", "gone", 900);
    b.asks("mail.a.test", "bob", 100);
    b.settle();
    CHECK(b.refused == 900);
    CHECK(b.accepted == 8100);
    CHECK(b.later == 0);
}

TEST_CASE("Whom our own mail server says nothing of is put off, and costs the peer nothing") {
    struct ShortCheck final : queue::RecipientCheck {
        base::Task<std::vector<mail::Reply>> check(mail::ReversePath, bool,
                                                   std::vector<mail::Mailbox>) override {
            std::vector<mail::Reply> one(1, mail::Reply{250, {2, 1, 5}, "ok"});
            co_return one;
        }
    };
    boost::asio::io_context io;
    support::ManualClock clock;
    ShortCheck check;
    GuardedCheck guarded(&check, clock);
    const auto replies =
        support::run<std::vector<mail::Reply>>(io, [&]() -> base::Task<std::vector<mail::Reply>> {
            std::vector<mail::Mailbox> three(3, *mail::Mailbox::parse("bob@b.test"));
            auto answers =
                co_await guarded.check("mail.a.test", std::nullopt, false, std::move(three));
            co_return answers;
        });
    REQUIRE(replies.size() == 3);
    CHECK(replies[0].is_success());
    CHECK(replies[1].is_transient());
    CHECK(replies[2] == replies[1]);
    CHECK(replies[2].text == "the recipient could not be checked");
}
