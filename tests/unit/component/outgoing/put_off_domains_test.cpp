#include "component/outgoing/put_off_domains.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace std::chrono_literals;
using component::Failure;
using component::PutOffDomains;

TEST_CASE("What a peer says of a domain is remembered for moments, of this peer and this domain") {
    const mail::Domain a = mail::Domain::parse("a.test").value();
    const mail::Domain a2 = mail::Domain::parse("a2.test").value();
    const base::SteadyPoint now{1h};
    PutOffDomains its;
    Failure why;
    why.kind = Failure::Kind::beyond_rate;
    why.retry_after = 300s;
    its.add(a, "mail.b.test", why, now);
    CHECK(its.find(a, "mail.b.test", now + 1s)->retry_after == 300s);
    CHECK_FALSE(its.find(a2, "mail.b.test", now + 1s));
    CHECK_FALSE(its.find(a, "mail.c.test", now + 1s));
    CHECK_FALSE(its.find(a, "mail.b.test", now + 2s));
}

TEST_CASE("However many peers say so, what is remembered is bounded") {
    const mail::Domain a = mail::Domain::parse("a.test").value();
    const base::SteadyPoint now{1h};
    PutOffDomains its;
    for (std::size_t i = 0; i <= PutOffDomains::kMost; ++i)
        its.add(a, fmt::format("mail{}.test", i), {}, now);
    CHECK(its.size() == PutOffDomains::kMost);
    CHECK_FALSE(its.find(a, fmt::format("mail{}.test", PutOffDomains::kMost), now));
    its.add(a, "mail.b.test", {}, now + 2s);
    CHECK(its.size() == 1);
}
