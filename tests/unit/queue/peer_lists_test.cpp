#include "queue/peer_lists.hpp"

#include "support/catch_result.hpp"
#include "support/fakes.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using queue::Listing;
using queue::PeerClass;
using queue::PeerLists;

namespace {

PeerLists::File file(PeerClass makes, const char* name, std::string_view text) {
    return {makes, name,
            std::make_shared<const queue::DomainList>(queue::DomainList::parse(text).value())};
}

struct Lists {
    std::optional<Listing> find(const char* domain) const {
        return lists.find(*mail::Domain::parse(domain));
    }
    PeerClass class_by(const char* domain) const {
        const auto listing = find(domain);
        return listing ? listing->makes : PeerClass::none;
    }
    void hears(const char* zone, const char* name, std::optional<PeerClass> makes) {
        lists.heard(zone, name, makes, clock.steady() + 60s, clock.steady() + 100s);
    }
    support::ManualClock clock;
    PeerLists lists{clock};
};

}  // namespace

TEST_CASE("what blocks goes before what limits, and that before what allows") {
    Lists site;
    CHECK_FALSE(site.find("a.test"));
    site.lists.use_files({file(PeerClass::trusted, "/good", "a.test\nb.test\nc.test\nd.test"),
                          file(PeerClass::limited, "/slow", "a.test\nb.test"),
                          file(PeerClass::blocked, "/bad", "a.test")});
    CHECK(site.find("a.test") == Listing{PeerClass::blocked, "list /bad"});
    CHECK(site.find("b.test") == Listing{PeerClass::limited, "list /slow"});
    CHECK(site.find("c.test") == Listing{PeerClass::trusted, "list /good"});
    CHECK_FALSE(site.find("e.test"));
    site.lists.use_files({});
    CHECK_FALSE(site.find("a.test"));
}

TEST_CASE("what is said against a registrable domain holds for what is below it, praise does not") {
    Lists site;
    site.lists.use_files({file(PeerClass::blocked, "/bad", "evil.test\nx.part.test"),
                          file(PeerClass::trusted, "/good", "a.test\n.whole.test")});
    CHECK(site.class_by("x.y.evil.test") == PeerClass::blocked);
    CHECK(site.class_by("x.part.test") == PeerClass::blocked);
    CHECK(site.class_by("y.x.part.test") == PeerClass::none);
    CHECK(site.class_by("part.test") == PeerClass::none);
    CHECK(site.class_by("x.a.test") == PeerClass::none);
    CHECK(site.class_by("x.whole.test") == PeerClass::trusted);

    site.hears("dns.test", "wicked.test", PeerClass::limited);
    site.hears("white.test", "fine.test", PeerClass::good);
    CHECK(site.class_by("x.wicked.test") == PeerClass::limited);
    CHECK(site.class_by("fine.test") == PeerClass::good);
    CHECK(site.class_by("x.fine.test") == PeerClass::none);
}

TEST_CASE("files go before the DNS, and of lists in the DNS the worst counts") {
    Lists site;
    site.lists.use_files({file(PeerClass::trusted, "/good", "a.test")});
    site.hears("dns.test", "a.test", PeerClass::blocked);
    CHECK(site.class_by("a.test") == PeerClass::trusted);
    CHECK(site.lists.find_in_files(*mail::Domain::parse("a.test")));
    CHECK_FALSE(site.lists.find_in_files(*mail::Domain::parse("b.test")));

    site.hears("a-white.test", "b.test", PeerClass::good);
    site.hears("b-slow.test", "b.test", PeerClass::limited);
    site.hears("c-black.test", "b.test", PeerClass::blocked);
    site.hears("d-other.test", "b.test", std::nullopt);
    CHECK(site.find("b.test") == Listing{PeerClass::blocked, "dns-list c-black.test"});
    site.lists.forget("c-black.test");
    CHECK(site.class_by("b.test") == PeerClass::limited);
    site.hears("b-slow.test", "b.test", std::nullopt);
    CHECK(site.class_by("b.test") == PeerClass::good);
}

TEST_CASE("an answer is fresh for a time, and counts for a while longer") {
    Lists site;
    CHECK_FALSE(site.lists.is_fresh("dns.test", "a.test"));
    site.hears("dns.test", "a.test", PeerClass::limited);
    CHECK(site.lists.is_fresh("dns.test", "a.test"));
    CHECK_FALSE(site.lists.is_fresh("other.test", "a.test"));
    site.clock.advance(60s);
    CHECK_FALSE(site.lists.is_fresh("dns.test", "a.test"));
    CHECK(site.class_by("a.test") == PeerClass::limited);
    site.clock.advance(40s);
    CHECK(site.class_by("a.test") == PeerClass::none);
}

TEST_CASE("nobody is blocked by an answer that is not fresh any more") {
    Lists site;
    site.hears("black.test", "a.test", PeerClass::blocked);
    site.hears("slow.test", "a.test", PeerClass::limited);
    site.clock.advance(59s);
    CHECK(site.class_by("a.test") == PeerClass::blocked);
    CHECK(site.class_by("x.a.test") == PeerClass::blocked);
    site.clock.advance(1s);
    CHECK(site.class_by("a.test") == PeerClass::limited);
    CHECK(site.class_by("x.a.test") == PeerClass::limited);
}

TEST_CASE("of one list so many answers are kept") {
    Lists site;
    site.hears("dns.test", "first.test", PeerClass::blocked);
    site.clock.advance(1s);
    for (std::size_t i = 1; i < PeerLists::kAnswers; ++i)
        site.hears("dns.test", ("n" + std::to_string(i) + ".test").c_str(), std::nullopt);
    CHECK(site.class_by("first.test") == PeerClass::blocked);
    site.hears("dns.test", "last.test", PeerClass::blocked);
    CHECK(site.class_by("first.test") == PeerClass::none);
    CHECK(site.class_by("last.test") == PeerClass::blocked);
}
