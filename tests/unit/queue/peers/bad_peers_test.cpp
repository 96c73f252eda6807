#include "queue/peers/bad_peers.hpp"

#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace support;
using queue::PeerClass;

namespace {

const std::chrono::sys_days kBadToday{std::chrono::days(20'000)};

queue::Standing line(const std::string& name, std::optional<PeerClass> by_hand,
                     queue::PeerFigures figures = {1, 1, 0, 0, 0}) {
    queue::Standing standing{name, kBadToday, kBadToday, queue::PeerRecord(kBadToday, kBadToday)};
    standing.record.add(kBadToday, figures);
    standing.record.by_hand = by_hand;
    return standing;
}

/// The book, as pages.
struct Lines {
    void read() {
        run<bool>(io, [this]() -> base::Task<bool> {
            co_await peers.read(kBadToday);
            co_return true;
        });
    }
    PeerClass against(const std::string& name) const {
        return peers.class_against(domain(name.c_str()));
    }

    boost::asio::io_context io;
    std::map<std::string, queue::Standing> lines;
    bool fails = false;
    std::size_t largest = 0;
    ManualClock clock;
    queue::PeerLists lists{clock};
    queue::BadPeers peers{lists,
                          [this](queue::ListStandings asked) -> base::Task<queue::BadPeers::Page> {
                              if (fails) co_return base::fail(base::Errc::busy, "busy");
                              std::vector<queue::Standing> page;
                              for (auto at = lines.upper_bound(asked.after);
                                   at != lines.end() && page.size() < asked.most; ++at)
                                  page.push_back(at->second);
                              largest = std::max(largest, page.size());
                              co_return page;
                          }};
};

}  // namespace

TEST_CASE("only what speaks against a domain is remembered, whoever has said it") {
    Lines book;
    const auto add = [&](const std::string& name, std::optional<PeerClass> by_hand,
                         queue::PeerFigures figures = {1, 1, 0, 0, 0}) {
        book.lines.insert_or_assign(name, line(name, by_hand, figures));
    };
    add("blocked.test", PeerClass::blocked);
    add("limited.test", PeerClass::limited);
    add("trusted.test", PeerClass::trusted);
    add("new.test", {});
    add("poor.test", {}, {20, 20, 20, 0, 0});
    for (int i = 0; i < 1000; ++i)
        add(fmt::format("n{:04}.test", i), {});
    CHECK(book.against("blocked.test") == PeerClass::none);
    book.read();
    CHECK(book.against("blocked.test") == PeerClass::blocked);
    CHECK(book.against("limited.test") == PeerClass::limited);
    CHECK(book.against("poor.test") == PeerClass::poor);
    for (const char* const good : {"trusted.test", "new.test", "n0500.test", "unknown.test"})
        CHECK(book.against(good) == PeerClass::none);
    // What is said of a registrable domain holds for all below it; figures do not.
    CHECK(book.against("x.blocked.test") == PeerClass::blocked);
    CHECK(book.against("x.poor.test") == PeerClass::none);
    CHECK(book.largest <= 200);

    book.fails = true;
    book.lines.clear();
    book.read();
    CHECK(book.against("blocked.test") == PeerClass::blocked);
    book.fails = false;
    book.read();
    CHECK(book.against("blocked.test") == PeerClass::none);
}

TEST_CASE("what a list makes of a domain speaks against it, too, with a line in the book or not") {
    Lines book;
    const auto add = [&](const std::string& name, std::optional<PeerClass> by_hand,
                         queue::PeerFigures figures = {1, 1, 0, 0, 0}) {
        book.lines.insert_or_assign(name, line(name, by_hand, figures));
    };
    const auto file = [](PeerClass makes, std::string_view text) {
        return queue::PeerLists::File{
            makes, "/list",
            std::make_shared<const queue::DomainList>(queue::DomainList::parse(text).value())};
    };
    add("new.test", {});
    add("trusted.test", PeerClass::trusted);
    add("limited.test", PeerClass::limited);
    add("poor.test", {}, {20, 20, 20, 0, 0});
    add("spam.test", {}, {20, 20, 20, 0, 0});
    book.lists.use_files(
        {file(PeerClass::blocked, "new.test\nno-line.test\ntrusted.test\nlimited.test\nspam.test"),
         file(PeerClass::trusted, "poor.test")});
    const auto soon = book.clock.steady() + std::chrono::minutes(1);
    book.lists.heard("dnsbl.test", "dns.test", PeerClass::limited, soon, soon);
    book.read();
    for (const char* const name : {"new.test", "no-line.test", "x.no-line.test", "spam.test"})
        CHECK(book.against(name) == PeerClass::blocked);
    CHECK(book.against("dns.test") == PeerClass::limited);
    // What an administrator says of the domain itself goes before, of trust for its name only.
    CHECK(book.against("trusted.test") == PeerClass::none);
    CHECK(book.against("x.trusted.test") == PeerClass::blocked);
    CHECK(book.against("limited.test") == PeerClass::limited);
    CHECK(book.against("x.limited.test") == PeerClass::limited);
    CHECK(book.against("poor.test") == PeerClass::none);
    CHECK(book.against("other.test") == PeerClass::none);
}
