// What our components promise: announced no longer than is on the disk, and withdrawn only when who
// was told has read that, or its date is over.
#include "queue/peers/own_promises.hpp"

#include "queue/sqlite/sqlite_ledger.hpp"
#include "support/catch_result.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

constexpr auto kPromisedDay = 24h;
const std::string kOurs = "mail.a.test";

/// A process of ours.
struct PromiseProcess {
    PromiseProcess(const Folder& folder, const ManualClock& clock)
        : storage(io.get_executor(), ledger(folder, clock)), trust(clock, clock.now()) {
        promises.emplace(
            storage, clock, trust, bonds,
            queue::OwnPromises::Calls{
                [this](const std::string& component) { changed.push_back(component); },
                [this](const std::string& component, const std::string& peer) {
                    released.push_back(component + " " + peer);
                },
                [this](const std::string&, const std::string& peer) { reminded.push_back(peer); }});
        const bool loaded = run<bool>(io, [this]() -> base::Task<bool> {
            const auto done = co_await promises->load();
            co_return done.has_value();
        });
        REQUIRE(loaded);
    }
    std::unique_ptr<queue::Ledger> ledger(const Folder& folder, const ManualClock& clock) {
        auto store = queue::open_queue(settings_in(folder), a_test_router(), clock, random);
        return std::make_unique<queue::SqliteLedger>(std::move(store.value()));
    }
    void renew() {
        run<bool>(io, [this]() -> base::Task<bool> {
            co_await promises->renew();
            co_return true;
        });
    }

    boost::asio::io_context io;
    SeededRandom random;
    queue::StorageThread storage;
    base::ClockTrust trust;
    std::shared_ptr<queue::OwnBonds> bonds = std::make_shared<queue::OwnBonds>();
    std::vector<std::string> changed;
    std::vector<std::string> released;
    std::vector<std::string> reminded;
    std::optional<queue::OwnPromises> promises;
};

/// We are mail.a.test; b.test (mail.b.test) and c.test (mail.c.test) have given us verdicts.
struct Promising {
    explicit Promising(std::chrono::hours lasts = 7 * kPromisedDay) {
        restart(lasts);
        process->changed.clear();  // as it began
    }
    void restart(std::optional<std::chrono::hours> lasts) {
        process.reset();
        process = std::make_unique<PromiseProcess>(folder, clock);
        process->bonds->set_peer("b.test", "mail.b.test");
        process->bonds->set_peer("c.test", "mail.c.test");
        configure(lasts);
    }
    void configure(std::optional<std::chrono::hours> lasts) {
        std::map<std::string, queue::PromiseTerms> terms;
        if (lasts) terms[kOurs] = {{domain("a.test")}, *lasts};
        process->promises->configure(terms);
        process->renew();
    }
    void promises(const std::set<std::string>& names) {
        queue::PromiseTerms terms{{}, 7 * kPromisedDay};
        for (const std::string& name : names)
            terms.domains.insert(domain(name.c_str()));
        process->promises->configure({{kOurs, terms}});
        process->renew();
    }
    std::optional<queue::Announcement> reads(const std::string& peer, bool known = true) {
        auto says = process->promises->says(kOurs);
        process->promises->told(kOurs, peer, known, says.has_value());
        return says;
    }
    /// A minute passes, and what is done each minute.
    void advance(std::chrono::minutes by) {
        for (std::chrono::minutes gone{0}; gone < by; gone += 30min) {
            clock.advance(std::min<std::chrono::minutes>(30min, by - gone));
            process->renew();
        }
    }
    bool binds(const char* name) const { return process->bonds->binds(kOurs, name); }
    queue::OwnPromises& operator()() { return *process->promises; }

    Folder folder;
    ManualClock clock;
    std::unique_ptr<PromiseProcess> process;
};

}  // namespace

TEST_CASE("a promise is announced for its days, and goes on as it is read") {
    Promising a;
    const auto first = a.reads("mail.b.test");
    REQUIRE(first);
    CHECK(first->domains == std::vector{domain("a.test")});
    CHECK(first->until == a.clock.now() + 7 * kPromisedDay);
    a.advance(10h);
    CHECK(a.reads("mail.b.test")->until == a.clock.now() + 7 * kPromisedDay);
    // What is on the disk is never behind what was said.
    CHECK(a().views().at(0).promise.until >= a.clock.now() + 7 * kPromisedDay);
    CHECK(a.binds("b.test"));
    CHECK(a.binds("c.test"));  // had a verdict, and may read it at any time
    CHECK_FALSE(a.binds("d.test"));
    CHECK_FALSE(a.process->bonds->binds("mail.other.test", "b.test"));
    CHECK(a.process->bonds->has_promised("a.test"));
    CHECK_FALSE(a.process->bonds->has_promised("sub.a.test"));
}

TEST_CASE("withdrawn, it holds for whom it was told, until they have read that") {
    Promising a;
    REQUIRE(a.reads("mail.b.test"));
    REQUIRE(a.reads("mail.stranger.test", false));
    SECTION("as it stands in no section any more") {
        a.configure({});
    }
    SECTION("as the component is retired") {
        a().set_retired(kOurs, true);
    }
    SECTION("as our mail goes by SMTP") {
        a().set_off(true);
    }
    SECTION("also if that is only seen at the next start") {
        a.restart({});
    }
    CHECK(a.process->changed == std::vector{kOurs});
    CHECK(a.binds("b.test"));
    CHECK_FALSE(a.binds("c.test"));
    CHECK(a.process->bonds->has_promised("a.test"));
    CHECK(a().views().at(0).told.size() == 1);
    CHECK_FALSE(a().views().at(0).announced);

    CHECK_FALSE(a.reads("mail.c.test"));
    CHECK(a.binds("b.test"));
    a.process->released.clear();
    CHECK_FALSE(a.reads("mail.b.test"));
    CHECK_FALSE(a.binds("b.test"));
    CHECK(a.process->released.at(0) == kOurs + " mail.b.test");
    CHECK(a().views().empty());
    CHECK_FALSE(a.process->bonds->has_promised("a.test"));
    a.restart({});
    CHECK(a().views().empty());
}

TEST_CASE("... or its date is over") {
    Promising a;
    REQUIRE(a.reads("mail.b.test"));
    a.configure({});
    a.advance(6 * kPromisedDay);
    CHECK(a.binds("b.test"));
    a.restart({});
    CHECK(a.binds("b.test"));
    a.advance(kPromisedDay + 3h);
    CHECK_FALSE(a.binds("b.test"));
    CHECK(a().views().empty());
}

TEST_CASE("nobody was told: it ends as it is withdrawn") {
    Promising a;
    a.configure({});
    CHECK(a().views().empty());
    CHECK_FALSE(a.binds("b.test"));
    CHECK(a.process->changed == std::vector{kOurs});
}

TEST_CASE("a restart goes on with what was promised, and tells nobody anew") {
    Promising a;
    REQUIRE(a.reads("mail.b.test"));
    const auto until = a().views().at(0).promise.until;
    a.restart(7 * kPromisedDay);
    CHECK(a.process->changed.empty());
    CHECK(a().views().at(0).promise.until == until);
    CHECK(a().views().at(0).told.size() == 1);
    CHECK(a.reads("mail.b.test"));
}

TEST_CASE("taken up again before all have read that it was withdrawn, it binds as before") {
    Promising a;
    REQUIRE(a.reads("mail.b.test"));
    a().set_off(true);
    a().set_off(false);
    CHECK(a.process->changed.size() == 2);
    CHECK(a.binds("b.test"));
    CHECK(a.binds("c.test"));
    CHECK(a.reads("mail.b.test"));
    CHECK(a().views().at(0).announced);
}

TEST_CASE("for fewer days, it lasts as long as it was announced before") {
    Promising a(14 * kPromisedDay);
    const auto said = a.reads("mail.b.test")->until;
    a.configure(1 * kPromisedDay);
    CHECK(a.process->changed == std::vector{kOurs});
    CHECK(a.reads("mail.b.test")->until == a.clock.now() + kPromisedDay);
    a.configure({});
    CHECK(a().views().at(0).promise.until >= said);
}

TEST_CASE(
    "a domain that is promised no more still is to who was told before, until they have read "
    "that") {
    Promising a;
    a.promises({"a.test", "a2.test"});
    REQUIRE(a.reads("mail.b.test")->domains.size() == 2);
    a.clock.advance(1h);
    a.promises({"a.test"});
    CHECK(a.reads("mail.c.test")->domains == std::vector{domain("a.test")});
    CHECK(a.process->bonds->has_promised("a2.test"));
    a.process->renew();
    CHECK(a.process->bonds->has_promised("a2.test"));
    CHECK(a.reads("mail.b.test")->domains == std::vector{domain("a.test")});
    a.process->renew();
    CHECK_FALSE(a.process->bonds->has_promised("a2.test"));
}

TEST_CASE("what is not on the disk is not announced") {
    Promising a;
    std::map<std::string, queue::PromiseTerms> terms;
    terms[kOurs] = {{domain("a.test"), domain("a2.test")}, kPromisedDay};
    a().configure(terms);
    CHECK(a.reads("mail.b.test")->domains == std::vector{domain("a.test")});
    a.process->changed.clear();
    a.process->renew();
    CHECK(a.process->changed == std::vector{kOurs});
    CHECK(a.reads("mail.b.test")->domains.size() == 2);
}

TEST_CASE("who has not read for so long that nothing holds is remembered no more") {
    Promising a;
    REQUIRE(a.reads("mail.b.test"));
    a.advance(14 * kPromisedDay);
    CHECK(a().may_believe("mail.b.test"));
    CHECK_FALSE(a().may_believe("mail.c.test"));
    a.advance(2 * kPromisedDay);
    CHECK_FALSE(a().may_believe("mail.b.test"));
    CHECK(a().views().at(0).announced);
    CHECK(a.binds("b.test"));
    a.configure({});
    CHECK(a().views().empty());
}

TEST_CASE("at the start nothing is withdrawn before it is known what is to be promised") {
    Promising a;
    a.process.reset();
    a.process = std::make_unique<PromiseProcess>(a.folder, a.clock);
    a().set_off(false);
    a().set_retired(kOurs, false);
    CHECK(a.process->changed.empty());
    a.configure(7 * kPromisedDay);
    CHECK(a.process->changed.empty());
    CHECK(a().views().at(0).announced);
}

TEST_CASE("no clock that jumps promises more, or ends a promise") {
    Promising a;
    REQUIRE(a.reads("mail.b.test"));
    const auto kept = a().views().at(0).promise.until;
    SECTION("ahead: what is on the disk is not renewed, and is the most that is said") {
        a.clock.jump(400 * kPromisedDay);
        a.process->renew();
        CHECK(a().views().at(0).promise.until == kept);
        CHECK(a.reads("mail.b.test")->until == kept);
        a.configure({});
        CHECK(a.binds("b.test"));
    }
    SECTION("it was ahead for so long that it was believed: nothing holds for years") {
        a.clock.jump(400 * kPromisedDay);
        a.advance(2h);
        CHECK(a().views().at(0).promise.until > kept + 300 * kPromisedDay);
        REQUIRE(a.reads("mail.b.test"));
        a.clock.jump(-400 * kPromisedDay);
        a.configure({});
        a.advance(2h);
        CHECK(a().views().at(0).promise.until <= a.clock.now() + queue::OwnPromises::kLongest + 3h);
        a.advance(15 * kPromisedDay);
        CHECK(a().views().empty());
    }
    SECTION("back") {
        a.clock.jump(-400 * kPromisedDay);
        a.process->renew();
        CHECK(a().views().at(0).promise.until == kept);
        CHECK(a.reads("mail.b.test")->until < kept);
    }
}

TEST_CASE("many peers are read in pages at the start, and reminded in turn") {
    Promising a;
    for (int i = 0; i < 1234; ++i)
        REQUIRE(a.reads("mail.d" + std::to_string(i) + ".test"));
    a.process->renew();
    a.restart(7 * kPromisedDay);
    CHECK(a().views().at(0).told.size() == 1234);
    CHECK(a.process->reminded.empty());
    a.configure({});
    for (std::size_t minutes = 1; minutes < 62; ++minutes)
        a.process->renew();
    const auto& reminded = a.process->reminded;
    CHECK(std::set(reminded.begin(), reminded.end()).size() == 1234);
    CHECK(reminded.size() < 1234 + 20);
    CHECK(a().is_unread(kOurs, "mail.d7.test"));
    CHECK_FALSE(a().is_unread(kOurs, "mail.b.test"));
}

TEST_CASE("a domain's peer may change, and go") {
    queue::OwnBonds bonds;
    bonds.promise(kOurs, {"a.test"}, true, {});
    CHECK(bonds.set_peer("b.test", "mail.b.test"));
    CHECK_FALSE(bonds.set_peer("b.test", "mail.b.test"));
    CHECK(bonds.set_peer("b2.test", "mail.b.test"));
    CHECK(bonds.domains_of("mail.b.test") == std::vector<std::string>{"b.test", "b2.test"});
    CHECK(bonds.limit_of("b2.test") == SIZE_MAX);
    bonds.set_limit("mail.b.test", 5);
    bonds.set_limit("mail.stranger.test", 6);
    CHECK(bonds.limit_of("b2.test") == 5);
    CHECK(bonds.limit_of("stranger.test") == SIZE_MAX);
    CHECK(bonds.set_peer("b.test", "other.b.test"));
    CHECK(bonds.domains_of("mail.b.test") == std::vector<std::string>{"b2.test"});
    CHECK(bonds.set_peer("b2.test", ""));
    CHECK(bonds.domains_of("mail.b.test").empty());
    CHECK_FALSE(bonds.binds("b2.test"));
    CHECK(bonds.binds("b.test"));
    CHECK(bonds.domains() == std::vector<std::string>{"b.test"});
}
