// What mail servers ask us: an answer does not depend on the cuts, is one of the few that there
// are, and comes with every whole request; what is no request is an error, and nothing is
// unbounded.
#include "base/limits.hpp"
#include "fuzz/fuzz.hpp"
#include "mail/alignment.hpp"
#include "smtp-bridge/lookup/netstring.hpp"
#include "smtp-bridge/lookup/policy_lookup.hpp"
#include "smtp-bridge/lookup/route_lookup.hpp"
#include "smtp-bridge/server/xclient_attributes.hpp"

using namespace smtp_bridge;
using fuzz::check;

namespace {

constexpr std::string_view kOk = "lmtp:x";

struct World {
    queue::RouteTable table;
    queue::Router router{{{*mail::Domain::parse("a.test"), "mail.a.test"}}, "mail.a.test"};
    World() { table.set(*mail::Domain::parse("b.test"), queue::Route::xmpp); }
};

/// All answers to a connection's input, until the client breaks the protocol.
std::string answers(const Lookup& lookup, std::string_view input, bool cut, bool& broken) {
    std::string waiting;
    std::string output;
    broken = false;
    const auto feed = [&](std::string_view piece) {
        waiting += piece;
        for (;;) {
            const auto used = lookup.answer(waiting, output, [](const mail::Domain& domain) {
                check(domain.ascii() != "a.test" && domain.ascii() != "b.test",
                      "only what is not known is missed");
            });
            broken = !used;
            if (broken || *used == 0) return !broken;
            check(*used <= waiting.size(), "no more is used than there is");
            waiting.erase(0, *used);
        }
    };
    if (cut) {
        fuzz::in_pieces(input, feed);
    } else {
        feed(input);
    }
    return output;
}

void check_lookup(const Lookup& lookup, std::string_view input) {
    bool broken = false;
    bool broken_in_pieces = false;
    const auto whole = answers(lookup, input, false, broken);
    check(whole == answers(lookup, input, true, broken_in_pieces) && broken == broken_in_pieces,
          "answers do not depend on the cuts");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const World world;
    const auto input = fuzz::text_of(data, size);
    const RouteLookup route{std::string(kOk), world.table, world.router};
    check_lookup(route, input);
    check_lookup(PolicyLookup(world.table, world.router), input);
    const auto answer = route.answer_to(input, [](const mail::Domain&) {});
    check(answer == "NOTFOUND " || answer == "OK lmtp:x" || answer.starts_with("PERM "),
          "there are three answers");
    const auto attributes = parse_xclient_attributes(input);
    check(!attributes || !attributes->empty(), "attributes are some");
    const auto author = mail::author_domain(input);
    check(!author || !author->is_address_literal(), "an author's domain is a domain");
    return 0;
}
