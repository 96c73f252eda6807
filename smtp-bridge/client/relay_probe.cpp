#include "smtp-bridge/client/relay_probe.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

namespace smtp_bridge {
namespace {

using std::chrono::steady_clock;

/// RFC 6761 6.4: nobody's, for ever, and no name server is asked.
constexpr std::string_view kForeign = "postmaster@packetboat.invalid";
/// "Relay access denied", "relay not permitted", "Relaying denied".
constexpr std::string_view kRelay = "relay";

struct Answer {
    Relaying relaying = Relaying::unknown;
    std::string text;
};

base::Task<Answer> ask(Target target, ClientSettings settings, steady_clock::time_point until) {
    const std::string name = target.to_text();
    Client client(std::move(target), std::move(settings));
    client.bound(until, false);
    const auto trouble = co_await client.open();
    if (trouble) co_return Answer();
    const std::vector<mail::Mailbox> recipients{*mail::Mailbox::parse(kForeign)};
    CheckResult result(recipients.size());
    co_await client.check(mail::ReversePath(), recipients, result);
    co_await client.quit();
    const mail::Reply& reply = result.replies.front();
    co_return Answer{relaying_of(reply), fmt::format("{} ({})", name, reply.to_text())};
}

}  // namespace

Relaying relaying_of(const mail::Reply& reply) {
    if (reply.is_success()) return Relaying::takes;
    const std::string text = base::to_lower(reply.text);
    const bool as_such = reply.status.subject == 7 || text.find(kRelay) != text.npos;
    return reply.is_permanent() && as_such ? Relaying::refuses : Relaying::unknown;
}

std::string HandOverState::to_text() const {
    std::string text = "return-to sends nothing on to other domains: " + refuses;
    if (!takes_foreign.empty())
        text += "; but deliver-to does: " + takes_foreign + ": the two are swapped";
    return text;
}

base::Task<HandOverState> probe_hand_over(std::vector<Target> deliver_to,
                                          std::vector<Target> return_to, ClientSettings settings,
                                          std::chrono::milliseconds limit) {
    const auto until = steady_clock::now() + limit;
    HandOverState state;
    for (const auto& target : return_to) {
        const Answer answer = co_await ask(target, settings, until);
        if (answer.relaying == Relaying::unknown) state.known = false;
        if (answer.relaying == Relaying::refuses) state.refuses = answer.text;
    }
    if (state.refuses.empty()) co_return state;
    for (const auto& target : deliver_to) {
        const Answer answer = co_await ask(target, settings, until);
        if (answer.relaying == Relaying::unknown) state.known = false;
        if (answer.relaying == Relaying::takes) state.takes_foreign = answer.text;
    }
    co_return state;
}

}  // namespace smtp_bridge
