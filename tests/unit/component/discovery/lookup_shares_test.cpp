#include "component/discovery/lookup_shares.hpp"

#include "base/limits.hpp"

#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

using component::LookupShares;
using Cause = LookupShares::Cause;

namespace {

/// How many of `count` it gets a place for.
std::size_t take(LookupShares& shares, Cause cause, const std::string& name, std::size_t count) {
    std::size_t taken = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const LookupShares::Place place{cause, mail::Organisation::of(name)};
        if (!shares.has_room(place)) continue;
        shares.take(place);
        ++taken;
    }
    return taken;
}

}  // namespace

TEST_CASE("One attacker's names get few look-ups together, and every other sender its first") {
    LookupShares shares;
    std::size_t evil = 0;
    for (int i = 0; i < 100; ++i)
        evil += take(shares, Cause::stranger, fmt::format("x{}.evil.test", i), 10);
    CHECK(evil == 8);
    // A second one fills half of the strangers' places; after that each gets one.
    CHECK(take(shares, Cause::stranger, "wicked.test", 100) == 7);
    CHECK(take(shares, Cause::stranger, "mail.honest.test", 10) == 1);
    std::size_t others = 0;
    for (int i = 0; i < 100; ++i)
        others += take(shares, Cause::stranger, fmt::format("mail.evil{}.test", i), 10);
    CHECK(others == base::limits::kStrangerLookups - 16);
    // However many there are: not those whom we know, nor our own mail, nor what is only a hint.
    CHECK(take(shares, Cause::correspondent, "mail.b.test", 100) ==
          base::limits::kSenderLookups - base::limits::kStrangerLookups);
    CHECK(take(shares, Cause::hint, "c.test", 1) == 1);
    CHECK(take(shares, Cause::new_mail, "d.test", 1) == 1);
}

TEST_CASE("Neither hints nor the names of one domain take the places of our own mail") {
    LookupShares shares;
    for (int i = 0; i < 100; ++i)
        take(shares, Cause::hint, fmt::format("x{}.test", i), 2);
    CHECK(take(shares, Cause::new_mail, "evil.test", 100) == 10);
    CHECK(take(shares, Cause::new_mail, "mail.b.test", 1) == 1);
    shares.give_back({Cause::new_mail, mail::Organisation::of("x.evil.test")});
    CHECK(take(shares, Cause::new_mail, "y.evil.test", 100) == 1);
}

TEST_CASE(
    "New mail has look-ups of its own, however much waits for peers that are out, and waiting mail "
    "has") {
    const auto count = [](LookupShares& shares, Cause cause) {
        std::size_t taken = 0;
        for (int i = 0; i < 100; ++i)
            taken += take(shares, cause, fmt::format("dead{}.test", i), 1);
        return taken;
    };
    LookupShares waiting_first;
    CHECK(count(waiting_first, Cause::waiting_mail) == 15);
    CHECK(count(waiting_first, Cause::new_mail) == 10);
    LookupShares new_first;
    CHECK(count(new_first, Cause::new_mail) == 20);
    CHECK(count(new_first, Cause::waiting_mail) == 5);
}
