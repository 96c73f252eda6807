#include "app/daemon/mirror_answers.hpp"

#include "app/daemon/control_answers.hpp"
#include "app/json_text.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace app {
namespace {

namespace json = boost::json;

component::Session* session_named(const Daemon& daemon, const std::string& component) {
    const auto& sessions = daemon.sessions();
    const auto found = std::ranges::find(
        sessions, component, [](const auto& session) { return session->settings().jid; });
    return found == sessions.end() ? nullptr : found->get();
}

/// Nothing if one is none, or if they are too many or none.
std::optional<std::vector<mail::Domain>> domains_in(const json::object& asked) {
    std::vector<mail::Domain> domains;
    for (const auto& row : rows_of(asked, "domains")) {
        if (!row.is_string()) return std::nullopt;
        auto domain = mail::Domain::parse(std::string(row.as_string()));
        if (!domain || std::ranges::find(domains, *domain) != domains.end()) return std::nullopt;
        domains.push_back(std::move(*domain));
    }
    if (domains.empty() || domains.size() > component::kMirrorDomains) return std::nullopt;
    return domains;
}

}  // namespace

json::object mirror_answer(const component::MirrorLook& look) {
    json::object answer{{"ok", true}, {"state", to_text(look.kind)}, {"why", look.why}};
    if (look.kind != component::MirrorLook::Kind::seen) return answer;
    const component::Mirrored& mirrored = look.mirrored;
    answer["assurance"] = to_text(mirrored.assurance);
    answer["max_size"] = mirrored.max_size;
    answer["max_stanza"] = mirrored.max_stanza;
    answer["round_trip"] = look.round_trip.count();
    answer["ahead"] = look.ahead.count();
    answer["its_time"] = base::to_datetime(mirrored.time);
    answer["our_time"] = base::to_datetime(look.ours);
    json::array domains;
    for (const auto& seen : mirrored.domains)
        domains.push_back(
            json::object{{"domain", seen.domain.ascii()}, {"state", to_text(seen.standing)}});
    answer["domains"] = std::move(domains);
    return answer;
}

base::Task<json::object> answer_mirror(Daemon& daemon, json::object asked) {
    const std::string name = text_of(asked, "component");
    std::string peer = text_of(asked, "peer");
    auto domains = domains_in(asked);
    if (!domains) co_return not_understood("these are not domains of ours to ask for");
    component::Session* const session = session_named(daemon, name);
    if (session == nullptr) co_return refusal(name + " is no component of ours");
    // Nobody is asked over our link but who takes our mail.
    if (!daemon.discovery().knows(peer)) co_return refusal(peer + " is no peer of ours");
    component::MirrorLook look;
    if (daemon.discovery().capability_of(peer).mirror) {
        const base::SystemClock clock;
        look = co_await component::look_in_mirror(*session, std::move(peer), std::move(*domains),
                                                  clock);
    } else {
        look.kind = component::MirrorLook::Kind::older;
        look.why = peer + " does not announce that it answers this";
    }
    co_return mirror_answer(look);
}

}  // namespace app
