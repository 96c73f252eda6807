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
            if (broken || used->used == 0) return !broken;
            check(!used->open, "nobody is asked");
            check(used->used <= waiting.size(), "no more is used than there is");
            waiting.erase(0, used->used);
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

/// No time passes.
struct StoppedClock final : base::Clock {
    base::TimePoint now() const override { return base::TimePoint(std::chrono::hours(500'000)); }
    base::SteadyPoint steady() const override { return base::SteadyPoint(std::chrono::hours(1)); }
};

/// Logins are slowed, and nothing else becomes of a request, however often it comes.
void check_limits(const World& world, std::string_view input) {
    const StoppedClock clock;
    queue::SenderRule rule;
    rule.an_hour = {1, 2, 1};
    rule.beyond = queue::Beyond::refuse;
    queue::SenderCounts counts({rule, {}, {}}, clock, [](const queue::SenderAlarm& alarm) {
        check(!alarm.name.empty() && alarm.name.size() <= 320, "a sender's name is bounded");
    });
    const PolicyLookup lookup(world.table, world.router, &counts);
    const std::string later =
        "action=DEFER_IF_PERMIT 4.7.1 " + std::string(queue::kSenderRefused) + "\n\n";
    for (int i = 0; i < 4; ++i) {
        std::string output;
        const auto used = lookup.answer(input, output, [](const mail::Domain&) {});
        const bool answered = used && used->used > 0;
        check(answered ? output == "action=DUNNO\n\n" || output == later : output.empty(),
              "there are two answers");
        check(!answered || i > 0 || output != later, "the first recipient is within the limits");
    }
}

/// Everybody has promised everything, and is bad besides.
struct EveryLane final : queue::ClosedLane {
    bool concerns(const mail::Domain& sender, const mail::Domain& recipient) const override {
        check(sender.ascii() != "a.test" && recipient.ascii() == "a.test",
              "only strangers, for us");
        return true;
    }
    void look(queue::LaneQuestion question, Tell tell) override {
        check(question.client.size() <= base::limits::kNetstring, "a client is bounded");
        tell(queue::PromiseFinding::confirmed);
    }
    queue::PeerClass class_against(const mail::Domain&) const override {
        return queue::PeerClass::poor;
    }
};

/// Whatever it names, an answer is one line, and says one of four things.
void check_lane(const World& world, std::string_view input) {
    EveryLane lane;
    for (const auto mode : {ClosedLaneMode::mark, ClosedLaneMode::reject}) {
        ClosedLaneSettings settings;
        settings.mode = mode;
        settings.mark_token = "0123456789abcdef";
        const PolicyLookup lookup(world.table, world.router, nullptr, settings, &lane);
        std::string output;
        const auto answered = lookup.answer(input, output, [](const mail::Domain&) {});
        if (!answered || answered->used == 0) continue;
        if (answered->open) {
            check(output.empty(), "an answer is there, or open");
            answered->open->ask([&output](const std::string& told) { output = told; });
        }
        check(output.ends_with("\n\n") && output.find('\n') == output.size() - 2, "one line");
        const bool refused = output.starts_with("action=550 5.7.1 ");
        const bool marked = output.starts_with("action=PREPEND Packetboat-Unproven-");
        check(refused || marked || output == "action=DUNNO\n\n", "what is answered");
        check(!refused || mode == ClosedLaneMode::reject, "a mark refuses nothing");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const World world;
    const auto input = fuzz::text_of(data, size);
    const RouteLookup route{std::string(kOk), world.table, world.router};
    check_lookup(route, input);
    check_lookup(PolicyLookup(world.table, world.router), input);
    check_limits(world, input);
    check_lane(world, input);
    const auto answer = route.answer_to(input, [](const mail::Domain&) {});
    check(answer == "NOTFOUND " || answer == "OK lmtp:x" || answer.starts_with("PERM "),
          "there are three answers");
    const auto attributes = parse_xclient_attributes(input);
    check(!attributes || !attributes->empty(), "attributes are some");
    const auto author = mail::author_domain(input);
    check(!author || !author->is_address_literal(), "an author's domain is a domain");
    return 0;
}
