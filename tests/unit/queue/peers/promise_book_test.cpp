// Forms are read, and verdicts given: what the book has of it, also after a restart.
#include "queue/peers/promise_book.hpp"

#include "queue/sqlite/recovery/opening.hpp"
#include "queue/sqlite/sqlite_ledger.hpp"
#include "support/queue/fixture.hpp"

#include <map>
#include <set>

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace support;
using namespace std::chrono_literals;
using queue::FormReading;
using queue::PromiseNews;

namespace {

using Ours = std::map<mail::Domain, std::string>;

Ours one_domain() {
    return {{domain("b.test"), "mail.b.test"}};
}

/// Two of them have the same component.
Ours three_domains() {
    return {{domain("b.test"), "mail.b.test"},
            {domain("b2.test"), "mail.b.test"},
            {domain("b3.test"), "mail.b3.test"}};
}

/// The book of a process that serves b.test.
struct KeptPromises {
    explicit KeptPromises(Ours served = one_domain()) : ours(std::move(served)) { start(); }

    void start() {
        book.reset();
        storage.reset();
        auto store = queue::open_queue(settings_in(folder), a_test_router(), clock, random);
        if (!store) throw std::runtime_error(store.error().text);
        trust = (*store)->clock_trust();
        storage.emplace(io.get_executor(),
                        std::make_unique<queue::SqliteLedger>(std::move(*store)));
        book.emplace(*storage, clock, *trust, ours,
                     [this](PromiseNews what, const queue::PeerPromise& promise) {
                         news.emplace_back(what, promise.domain.ascii());
                     });
        REQUIRE(run<base::Result<void>>(io, [this] { return book->load(); }));
    }
    void reads(const char* name, std::optional<std::chrono::hours> ahead, bool verified = true) {
        FormReading reading{domain(name), std::string("mail.") + name, verified};
        if (ahead) reading.until = clock.now() + *ahead;
        reading.had_mail = had_mail;
        book->form_read(reading);
    }
    /// Its promise counts.
    void counts(const char* name) {
        reads(name, 300h);
        clock.advance(25h);
        reads(name, 300h);
    }
    /// Its mail to each was taken.
    void has_verdict(const char* name, const std::set<mail::Domain>& recipients) {
        book->verdict_given(domain(name), recipients);
    }
    void has_verdict(const char* name) { has_verdict(name, {domain("b.test")}); }
    bool stands(const char* name, const char* recipient = "b.test") {
        return book->stands(domain(name), domain(recipient));
    }
    bool concerns(const char* name, const char* recipient = "b.test") const {
        return book->concerns(domain(name), domain(recipient));
    }

    Folder folder;
    ManualClock clock;
    SeededRandom random;
    boost::asio::io_context io;
    Ours ours;
    bool had_mail = false;
    std::shared_ptr<base::ClockTrust> trust;
    std::optional<queue::StorageThread> storage;
    std::optional<queue::PromiseBook> book;
    std::vector<std::pair<PromiseNews, std::string>> news;
};

}  // namespace

TEST_CASE("a promise binds towards the domain of ours that its mail has had a verdict for only") {
    KeptPromises b(three_domains());
    b.counts("a.test");
    CHECK_FALSE(b.stands("a.test"));
    CHECK_FALSE(b.concerns("a.test"));
    CHECK(b.book->standing().empty());
    // The component is the same one.
    b.has_verdict("a.test", {domain("b2.test")});
    CHECK(b.stands("a.test", "b2.test"));
    CHECK(b.concerns("a.test", "b2.test"));
    CHECK_FALSE(b.stands("a.test"));
    CHECK_FALSE(b.concerns("a.test"));
    CHECK(b.book->standing().size() == 1);
    b.has_verdict("a.test", {domain("b.test"), domain("b2.test")});
    CHECK(b.stands("a.test"));
    CHECK(b.concerns("a.test"));
    CHECK(b.concerns("a.test", "b2.test"));
    CHECK_FALSE(b.concerns("a.test", "b3.test"));
    CHECK_FALSE(b.concerns("x.a.test"));  // exact domains
    CHECK_FALSE(b.concerns("a.test", "x.b.test"));
    b.has_verdict("other.test");
    CHECK(b.book->find(domain("other.test")) == nullptr);
}

TEST_CASE("a promise binds towards so many domains of ours, and mail to more of them passes") {
    Ours many;
    std::set<mail::Domain> all;
    for (std::size_t i = 0; i < queue::kBoundDomains + 2; ++i)
        all.insert(domain(fmt::format("b{:04}.test", i).c_str()));
    for (const mail::Domain& each : all)
        many.emplace(each, "mail.b.test");
    KeptPromises b(many);
    b.counts("a.test");
    b.has_verdict("a.test", all);
    b.has_verdict("a.test", {*all.rbegin()});
    CHECK(b.book->find(domain("a.test"))->bound.size() == queue::kBoundDomains);
    CHECK(b.concerns("a.test", "b0000.test"));
    CHECK_FALSE(b.book->concerns(domain("a.test"), *all.rbegin()));
    CHECK_FALSE(b.book->stands(domain("a.test"), *all.rbegin()));
    b.start();
    CHECK(b.book->find(domain("a.test"))->bound.size() == queue::kBoundDomains);
}

TEST_CASE("who has had mail taken before promised with a verdict for our only domain") {
    KeptPromises b;
    b.had_mail = true;
    b.counts("a.test");
    CHECK(b.stands("a.test"));
}

TEST_CASE("with several domains, nobody knows for which of them it was") {
    KeptPromises b(three_domains());
    b.had_mail = true;
    b.counts("a.test");
    CHECK(b.book->find(domain("a.test"))->bound.empty());
}

TEST_CASE("towards what is ours no more nothing binds after the restart") {
    KeptPromises b(three_domains());
    b.counts("a.test");
    b.has_verdict("a.test", {domain("b2.test"), domain("b3.test")});
    b.ours = one_domain();
    b.start();
    CHECK(b.book->find(domain("a.test"))->bound.empty());
    CHECK(b.book->standing().empty());
}

TEST_CASE("a restart changes nothing") {
    KeptPromises b(three_domains());
    b.counts("a.test");
    b.reads("c.test", 100h);
    b.has_verdict("a.test", {domain("b.test"), domain("b3.test")});
    const auto before = b.book->list();
    REQUIRE(before.size() == 2);
    b.start();
    CHECK(b.book->list() == before);
    CHECK(b.concerns("a.test"));
    CHECK(b.stands("a.test"));
    // But that it was read by the last process confirms nothing to this one.
    CHECK_FALSE(b.book->confirmed(domain("a.test")));
    b.reads("a.test", 100h);
    CHECK(b.book->confirmed(domain("a.test")) == b.clock.steady());
}

TEST_CASE("what is withdrawn is gone at once, on the disk, too") {
    KeptPromises b;
    b.counts("a.test");
    b.has_verdict("a.test");
    b.reads("a.test", {});
    CHECK_FALSE(b.stands("a.test"));
    CHECK_FALSE(b.concerns("a.test"));
    b.start();
    CHECK(b.book->list().empty());
    using News = std::vector<std::pair<PromiseNews, std::string>>;
    CHECK(b.news == News{{PromiseNews::first, "a.test"},
                         {PromiseNews::counts, "a.test"},
                         {PromiseNews::withdrawn, "a.test"}});
}

TEST_CASE("towards the domains of a component that is retired nothing binds, until it is back") {
    KeptPromises b(three_domains());
    b.counts("a.test");
    b.has_verdict("a.test", {domain("b.test"), domain("b2.test")});
    b.book->set_retired("mail.b.test", true);
    for (const char* const ours : {"b.test", "b2.test"}) {
        CHECK_FALSE(b.stands("a.test", ours));
        CHECK_FALSE(b.concerns("a.test", ours));
    }
    CHECK(b.book->standing().empty());
    b.has_verdict("a.test", {domain("b3.test")});
    CHECK(b.stands("a.test", "b3.test"));
    CHECK(b.concerns("a.test", "b3.test"));
    CHECK(b.book->standing().size() == 1);
    CHECK_FALSE(b.concerns("a.test"));
    b.book->set_retired("mail.b.test", false);
    for (const char* const ours : {"b.test", "b2.test"}) {
        CHECK(b.stands("a.test", ours));
        CHECK(b.concerns("a.test", ours));
    }
}

TEST_CASE("it can be forgotten by hand, and has to be read twice again") {
    KeptPromises b;
    b.counts("a.test");
    b.has_verdict("a.test");
    CHECK(b.book->forget(domain("a.test")));
    CHECK_FALSE(b.book->forget(domain("a.test")));
    CHECK_FALSE(b.concerns("a.test"));
    b.reads("a.test", 100h);
    CHECK_FALSE(b.stands("a.test"));
}

TEST_CASE("what is over is swept away, and not by a clock that is not believed") {
    KeptPromises b;
    b.counts("a.test");
    b.reads("c.test", 10h);
    b.clock.advance(11h);
    b.book->sweep();
    CHECK(b.book->list().size() == 1);
    b.clock.jump(10'000h);
    b.book->sweep();
    CHECK(b.book->list().size() == 1);
}

TEST_CASE("a clock that jumps ahead makes nothing count, not even once it is believed") {
    KeptPromises b;
    b.reads("a.test", 300h);
    b.has_verdict("a.test");
    b.clock.advance(1h);
    b.clock.jump(25h);
    b.reads("a.test", 300h);
    CHECK_FALSE(b.concerns("a.test"));
    b.clock.advance(1h + 2min);  // it has gone on like that for long enough
    b.book->sweep();
    b.reads("a.test", 300h);
    CHECK_FALSE(b.concerns("a.test"));
    b.clock.advance(24h);
    b.reads("a.test", 300h);
    b.has_verdict("a.test");
    CHECK(b.stands("a.test"));
}

TEST_CASE("a clock that is set back keeps nobody out for longer than two weeks") {
    KeptPromises b;
    b.had_mail = true;
    b.counts("a.test");
    REQUIRE(b.stands("a.test"));
    b.clock.jump(-2000h);
    // By what the clock would show, had nobody set it.
    CHECK(b.stands("a.test"));
    b.clock.advance(1h + 2min);
    b.book->sweep();
    CHECK(b.stands("a.test"));
    CHECK(b.book->find(domain("a.test"))->until <= b.clock.now() + queue::kLongestPromise);
    b.clock.advance(queue::kLongestPromise);
    CHECK_FALSE(b.stands("a.test"));
}

TEST_CASE("the book is bounded, by organisation and in all, and what binds stays") {
    KeptPromises b;
    for (int i = 0; i < 100; ++i)
        b.reads(fmt::format("x{}.evil.test", i).c_str(), 100h);
    CHECK(b.book->list().size() == queue::kPromisesOfOrganisation);
    b.had_mail = true;
    b.counts("a.test");
    b.had_mail = false;
    for (std::size_t i = 0; i < queue::kPromises + 50; ++i)
        b.reads(fmt::format("d{}.test", i).c_str(), 100h);
    const std::string last = fmt::format("d{}.test", queue::kPromises + 49);
    CHECK(b.book->list().size() == queue::kPromises);
    CHECK(b.stands("a.test"));
    CHECK(b.book->find(domain(last.c_str())) != nullptr);
}

TEST_CASE("what binds is read again in time, one after the other, and what does not is not") {
    KeptPromises b;
    b.reads("idle.test", 300h);
    b.had_mail = true;
    b.reads("a.test", 300h);
    b.clock.advance(1h);
    b.reads("c.test", 300h);
    CHECK_FALSE(b.book->due());
    b.clock.advance(24h);
    CHECK(b.book->due() == domain("a.test"));
    CHECK(b.book->due() == domain("c.test"));
    CHECK_FALSE(b.book->due());
    // Nobody answered: not before an hour is over.
    b.clock.advance(59min);
    CHECK_FALSE(b.book->due());
    b.clock.advance(1min);
    b.reads("a.test", 300h);
    b.reads("c.test", 20h);
    CHECK_FALSE(b.book->due());
    b.clock.advance(10h);
    CHECK(b.book->due() == domain("c.test"));  // half of its time
    CHECK_FALSE(b.book->due());
    b.clock.advance(62h);
    CHECK(b.book->due().has_value());
    CHECK(b.book->due().has_value());
}
