#include "smtp-bridge/lookup/policy_lookup.hpp"

#include "support/smtp-bridge/fixture.hpp"

#include <catch2/catch.hpp>

using namespace smtp_bridge;
using fixture::domain;

TEST_CASE("the policy service listens, and says nothing but DUNNO") {
    queue::RouteTable table;
    table.set(domain("b.test"), queue::Route::xmpp);
    const auto router = fixture::a_test();
    const PolicyLookup lookup(table, router);
    std::vector<std::string> misses;
    const auto miss = [&](const mail::Domain& d) { misses.push_back(d.ascii()); };
    const auto ask = [&](const std::string& recipient) {
        const std::string request =
            "request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=" + recipient +
            "\nsender=\n\n";
        for (std::size_t cut = 0; cut < request.size(); ++cut) {
            std::string none;
            CHECK(lookup.answer(request.substr(0, cut), none, miss).value() == 0);
        }
        std::string output;
        CHECK(lookup.answer(request + "request=", output, miss).value() == request.size());
        CHECK(output == "action=DUNNO\n\n");
    };
    for (const char* known : {"bob@b.test", "alice@a.test", "x@[192.0.2.1]", "", "nonsense", "@"})
        ask(known);
    CHECK(misses.empty());
    ask("x@new.test");
    CHECK(misses == std::vector<std::string>{"new.test"});
    std::string output;
    CHECK_FALSE(lookup.answer("GET / HTTP/1.1\n\n", output, miss));
    CHECK(lookup.answer(std::string(5000, 'x'), output, miss).error().code == base::Errc::limit);
    CHECK(output.empty());
}
