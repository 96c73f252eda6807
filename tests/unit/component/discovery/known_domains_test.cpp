// The table of domains: what it forgets, and in which order; and who is known.
#include "component/discovery/known_domains.hpp"

#include "base/limits.hpp"
#include "support/fakes.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using component::KnownDomain;
using component::KnownDomains;
using namespace std::chrono_literals;

namespace {

const support::ManualClock kClock;
const base::TimePoint kNow = kClock.now();

mail::Domain domain(const std::string& name) {
    return *mail::Domain::parse(name);
}

bool keeps_none(const mail::Domain&) {
    return false;
}

/// As Discovery does it: what is one too many goes.
void add(KnownDomains& known, const std::string& name, const std::string& component,
         base::TimePoint sent = {}, base::TimePoint received = {},
         const std::function<bool(const mail::Domain&)>& is_kept = keeps_none) {
    known.change(domain(name), [&](KnownDomain& entry) {
        entry.component = component;
        entry.state =
            component.empty() ? KnownDomain::State::unsupported : KnownDomain::State::supported;
        entry.good_until = kClock.steady() + 1h;
        entry.last_seen = kNow;
        entry.sent = sent;
        entry.received = received;
    });
    while (const auto victim = known.surplus(domain(name), is_kept))
        known.erase(*victim);
}

}  // namespace

TEST_CASE("All names below one domain get a bounded part of the table") {
    KnownDomains known;
    add(known, "b.test", "mail.b.test");
    for (int i = 0; i < 3000; ++i)
        add(known, fmt::format("x{}.evil.test", i), i % 2 == 0 ? "mail.evil.test" : "");
    CHECK(known.size() == 1001);
    CHECK(known.find(domain("b.test")) != nullptr);
    CHECK(known.find(domain("x2999.evil.test")) != nullptr);
}

TEST_CASE("What never exchanged mail goes first, and what we write to last") {
    KnownDomains known;
    add(known, "written-to.test", "mail.b.test", kNow);
    add(known, "writes.test", "mail.b.test", {}, kNow);
    for (std::size_t i = 0; i < base::limits::kKnownPeers + 1000; ++i)
        add(known, fmt::format("evil{}.test", i), "mail.evil.test");
    CHECK(known.size() == base::limits::kKnownPeers);
    CHECK(known.find(domain("written-to.test")) != nullptr);
    CHECK(known.find(domain("writes.test")) != nullptr);
    CHECK(known.find(domain("evil0.test")) == nullptr);
    for (std::size_t i = 0; i < base::limits::kKnownPeers; ++i)
        add(known, fmt::format("wicked{}.test", i), "mail.evil.test", {}, kNow + 1h);
    CHECK(known.find(domain("written-to.test")) != nullptr);
    CHECK(known.find(domain("writes.test")) == nullptr);
    CHECK(known.components(1) == std::vector<std::string>{"mail.b.test"});
}

TEST_CASE("What has to be kept does not go for what is new, while anything else is there") {
    KnownDomains known;
    const auto is_kept = [](const mail::Domain& name) { return name.ascii().starts_with("k"); };
    const auto add_kept = [&](const std::string& name) {
        add(known, name, "mail.evil.test", {}, {}, is_kept);
    };
    for (int i = 0; i < 500; ++i)
        add_kept(fmt::format("k{}.evil.test", i));
    for (int i = 0; i < 1000; ++i)
        add_kept(fmt::format("x{}.evil.test", i));
    CHECK(known.size() == 1000);
    CHECK(known.find(domain("k0.evil.test")) != nullptr);
    CHECK(known.find(domain("k499.evil.test")) != nullptr);
    CHECK(known.find(domain("x499.evil.test")) == nullptr);
    // The bound is kept if nothing else is there.
    for (int i = 500; i < 1500; ++i)
        add_kept(fmt::format("k{}.evil.test", i));
    CHECK(known.size() == 1000);
    CHECK(known.find(domain("k1499.evil.test")) != nullptr);
}

TEST_CASE("What is of no use any more ages, each in its time") {
    KnownDomains known;
    add(known, "smtp.test", "");
    add(known, "seen.test", "mail.seen.test");
    add(known, "writes.test", "mail.writes.test", {}, kNow);
    const auto names = [&](std::chrono::hours later) {
        std::string all;
        support::ManualClock clock;
        clock.advance(later);
        for (const auto& each : known.outdated(clock, true, 10))
            all += each.ascii() + " ";
        return all;
    };
    CHECK(names(0h).empty());
    CHECK(names(1h) == "smtp.test ");
    CHECK(names(24h * 7) == "smtp.test seen.test ");
    CHECK(names(24h * 180) == "smtp.test seen.test writes.test ");
    support::ManualClock clock;
    clock.advance(24h * 180);
    CHECK(known.outdated(clock, true, 2).size() == 2);
    // Of a clock that may be wrong only that goes which it does not decide on.
    CHECK(known.outdated(clock, false, 10) == std::vector{domain("smtp.test")});
}

TEST_CASE("A component is known while it serves a domain, with what it announced") {
    KnownDomains known;
    CHECK_FALSE(known.knows("mail.b.test"));
    add(known, "b.test", "mail.b.test");
    add(known, "b2.test", "mail.b.test", kNow);
    component::Capability capability;
    capability.max_batch = 7;
    known.set_capability("mail.b.test", capability);
    CHECK(known.is_correspondent("mail.b.test"));
    CHECK(*known.next_of("mail.b.test", {}) == domain("b.test"));
    CHECK(*known.next_of("mail.b.test", domain("b.test")) == domain("b2.test"));
    CHECK_FALSE(known.next_of("mail.b.test", domain("b2.test")));
    known.erase(domain("b2.test"));
    CHECK_FALSE(known.is_correspondent("mail.b.test"));
    CHECK(known.capability("mail.b.test")->max_batch == 7);
    // Its only domain changes, and stays.
    add(known, "b.test", "mail.b.test", kNow);
    CHECK(known.capability("mail.b.test")->max_batch == 7);
    add(known, "b.test", "other.b.test");
    CHECK_FALSE(known.knows("mail.b.test"));
    CHECK(known.capability("mail.b.test") == nullptr);
    CHECK(known.knows("other.b.test"));
}

TEST_CASE("A sign of life makes all of a component's domains stale at once") {
    KnownDomains known;
    add(known, "b.test", "mail.b.test");
    add(known, "c.test", "mail.c.test");
    known.seen("mail.b.test");
    known.seen("unheard.of.test");
    CHECK_FALSE(known.is_fresh(*known.find(domain("b.test")), kClock.steady()));
    CHECK(known.is_fresh(*known.find(domain("c.test")), kClock.steady()));
    CHECK_FALSE(known.knows("unheard.of.test"));
}

TEST_CASE("A table that is full of names costs no known peer its place") {
    KnownDomains known;
    add(known, "known.test", "mail.known.test");
    add(known, "gone-by.test", "");
    for (std::size_t i = 0; i < base::limits::kKnownDomains + 10; ++i)
        add(known, fmt::format("name{}.test", i), "");
    CHECK(known.size() == base::limits::kKnownDomains);
    CHECK(known.find(domain("known.test")) != nullptr);
    CHECK(known.knows("mail.known.test"));
    CHECK(known.find(domain("gone-by.test")) == nullptr);
}
