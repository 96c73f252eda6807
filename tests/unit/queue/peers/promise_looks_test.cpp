// Mail comes by SMTP that was promised not to: the form is read, and whoever waits is told.
#include "queue/peers/promise_looks.hpp"

#include "queue/sqlite/recovery/opening.hpp"
#include "queue/sqlite/sqlite_ledger.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace support;
using namespace std::chrono_literals;
using queue::PromiseFinding;

namespace {

/// Domains whose promise counts, and a network that answers after a while, or not.
struct Looking {
    Looking() {
        auto store = queue::open_queue(settings_in(folder), a_test_router(), time, random);
        if (!store) throw std::runtime_error(store.error().text);
        trust = (*store)->clock_trust();
        storage.emplace(io.get_executor(),
                        std::make_unique<queue::SqliteLedger>(std::move(*store)));
        std::map<mail::Domain, std::string> ours{{domain("b.test"), "mail.b.test"}};
        book.emplace(*storage, time, *trust, std::move(ours),
                     [](queue::PromiseNews, const queue::PeerPromise&) {});
        looks.emplace(
            io.get_executor(), *book, peers, time,
            [this](mail::Domain name) { return reread(std::move(name)); },
            [this](const queue::LaneQuestion& question, PromiseFinding finding) {
                broken.push_back(question.client + " " + to_text(finding));
            });
    }
    void reads(const std::string& name, bool has_promise = true) {
        queue::FormReading reading{domain(name.c_str()), "mail." + name, true, {}, true};
        if (has_promise) reading.until = time.now() + 300h;
        book->form_read(reading);
    }
    void counts(const std::string& name) {
        reads(name);
        time.advance(25h);
        reads(name);
    }
    base::Task<void> reread(mail::Domain name) {
        asked.push_back(name.ascii());
        co_await base::sleep_for(takes);
        if (answers) reads(name.ascii(), promises);
    }
    /// In the order of the questions; nothing: not told yet.
    std::size_t ask(const std::string& name, const char* recipient = "b.test") {
        const std::size_t n = told.size();
        told.emplace_back();
        looks->look({domain(name.c_str()), domain(recipient), "192.0.2.7"},
                    [this, n](PromiseFinding finding) { told.at(n) = finding; });
        return n;
    }

    boost::asio::io_context io;
    VirtualTime time{io};
    Folder folder;
    SeededRandom random;
    std::shared_ptr<base::ClockTrust> trust;
    std::optional<queue::StorageThread> storage;
    std::optional<queue::PromiseBook> book;
    queue::PeerLists lists{time};
    queue::BadPeers peers{lists, [](queue::ListStandings) -> base::Task<queue::BadPeers::Page> {
                              co_return std::vector<queue::Standing>();
                          }};
    std::optional<queue::PromiseLooks> looks;
    std::chrono::milliseconds takes = 1s;
    bool answers = true;
    bool promises = true;
    std::vector<std::string> asked;
    std::vector<std::optional<PromiseFinding>> told;
    std::vector<std::string> broken;
};

}  // namespace

TEST_CASE("a promise is confirmed by reading it afresh, once for all that wait") {
    Looking b;
    b.counts("a.test");
    b.time.advance(1min);
    const auto first = b.ask("a.test");
    const auto second = b.ask("a.test");
    b.time.advance(999ms);
    CHECK_FALSE(b.told[first]);
    b.time.advance(1ms);
    CHECK(b.told[first] == PromiseFinding::confirmed);
    CHECK(b.told[second] == PromiseFinding::confirmed);
    CHECK(b.asked == std::vector<std::string>{"a.test"});
    CHECK(b.broken == std::vector<std::string>(2, "192.0.2.7 confirmed"));
    // It holds for a moment, and no longer.
    b.time.advance(9s);
    const auto third = b.ask("a.test");
    b.time.advance(0s);
    CHECK(b.told[third] == PromiseFinding::confirmed);
    b.time.advance(1s);
    const auto fourth = b.ask("a.test");
    b.time.advance(0s);
    CHECK_FALSE(b.told[fourth]);
    CHECK(b.asked.size() == 2);
    b.time.advance(1s);
}

TEST_CASE("a promise that was withdrawn meanwhile lets the mail pass, and that is no news") {
    Looking b;
    b.counts("a.test");
    b.promises = false;
    const auto n = b.ask("a.test");
    b.time.advance(1s);
    CHECK(b.told[n] == PromiseFinding::none);
    CHECK(b.broken.empty());
    CHECK_FALSE(b.looks->concerns(domain("a.test"), domain("b.test")));
}

TEST_CASE("what can't be read is unconfirmed, and not asked again at once") {
    Looking b;
    b.counts("a.test");
    b.time.advance(1min);
    b.answers = false;
    const auto first = b.ask("a.test");
    b.time.advance(1s);
    CHECK(b.told[first] == PromiseFinding::unconfirmed);
    b.time.advance(59s);
    const auto second = b.ask("a.test");
    b.time.advance(0s);
    CHECK(b.told[second] == PromiseFinding::unconfirmed);
    CHECK(b.asked.size() == 1);
    b.answers = true;
    b.time.advance(1s);
    const auto third = b.ask("a.test");
    b.time.advance(1s);
    CHECK(b.told[third] == PromiseFinding::confirmed);
    CHECK(b.broken.size() == 3);
}

TEST_CASE("nobody waits for longer than mail should, and what is found later counts for the next") {
    Looking b;
    b.counts("a.test");
    b.takes = 80s;
    const auto first = b.ask("a.test");
    b.time.advance(queue::kLookPatience - 1ms);
    CHECK_FALSE(b.told[first]);
    b.time.advance(1ms);
    CHECK(b.told[first] == PromiseFinding::unconfirmed);
    b.time.advance(65s);
    const auto second = b.ask("a.test");
    b.time.advance(0s);
    CHECK(b.told[second] == PromiseFinding::unconfirmed);
    CHECK(b.asked.size() == 1);
    b.time.advance(5s);
    const auto third = b.ask("a.test");
    b.time.advance(0s);
    CHECK(b.told[third] == PromiseFinding::confirmed);
}

TEST_CASE("where nothing is promised, or towards another of us, nobody is asked") {
    Looking b;
    b.counts("a.test");
    b.time.advance(0s);
    const auto other = b.ask("c.test");
    const auto towards = b.ask("a.test", "b2.test");
    b.time.advance(0s);
    CHECK(b.told[other] == PromiseFinding::none);
    CHECK(b.told[towards] == PromiseFinding::none);
    b.time.advance(queue::kLongestPromise);
    const auto over = b.ask("a.test");
    b.time.advance(0s);
    CHECK(b.told[over] == PromiseFinding::none);
    CHECK(b.asked.empty());
}

TEST_CASE("looks are bounded, however many domains are named and mails come") {
    Looking b;
    const auto name = [](std::size_t i) { return fmt::format("d{}.test", i); };
    for (std::size_t i = 0; i <= queue::kLooks; ++i)
        b.reads(name(i));
    b.time.advance(25h);
    for (std::size_t i = 0; i <= queue::kLooks; ++i)
        b.reads(name(i));
    for (std::size_t i = 0; i <= queue::kLooks; ++i)
        b.ask(name(i));
    b.time.advance(0s);
    CHECK(b.told.back() == PromiseFinding::unconfirmed);
    CHECK(b.asked.size() == queue::kLooks);
    for (std::size_t i = 0; i < queue::kLookers; ++i)
        b.ask(name(0));
    b.time.advance(0s);
    CHECK(b.told.back() == PromiseFinding::unconfirmed);
    b.time.advance(1s);
    CHECK(std::ranges::all_of(b.told, [](const auto& finding) { return finding.has_value(); }));
    CHECK(b.told.front() == PromiseFinding::confirmed);
}

TEST_CASE("promises are renewed, one at a time") {
    Looking b;
    b.reads("a.test");
    b.reads("c.test");
    b.looks->renew();
    b.time.advance(2s);
    CHECK(b.asked.empty());
    b.time.advance(24h);
    b.looks->renew();
    b.time.advance(2s);
    b.looks->renew();
    b.time.advance(2s);
    b.looks->renew();
    b.time.advance(2s);
    CHECK(b.asked == std::vector<std::string>{"a.test", "c.test"});
    CHECK(b.looks->concerns(domain("c.test"), domain("b.test")));
}
