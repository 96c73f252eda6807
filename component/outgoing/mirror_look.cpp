#include "component/outgoing/mirror_look.hpp"

#include "base/text.hpp"
#include "component/protocol/mirror_codec.hpp"

#include <algorithm>

namespace component {
namespace {

using std::chrono::milliseconds;

std::string for_people(std::string_view text) {
    return base::printable(text, base::limits::kStatusText);
}

MirrorLook without_answer(MirrorLook::Kind kind, std::string_view why) {
    MirrorLook look;
    look.kind = kind;
    look.why = for_people(why);
    return look;
}

MirrorLook::Kind kind_of(const StanzaError& error) {
    if (error.ours == "domain-not-authorized") return MirrorLook::Kind::refused;
    if (error.ours == "busy")
        return error.cause == BusyCause::unverified ? MirrorLook::Kind::unverified
                                                    : MirrorLook::Kind::busy;
    // Nothing of ours is in it: who answers does not know the protocol, or not this part of it.
    const bool is_unknown = error.ours.empty() && (error.condition == "service-unavailable" ||
                                                   error.condition == "feature-not-implemented");
    return is_unknown ? MirrorLook::Kind::older : MirrorLook::Kind::failed;
}

MirrorLook no_view(const IqReply& reply) {
    if (const auto* error = std::get_if<StanzaError>(&reply))
        return without_answer(kind_of(*error), error->to_text());
    if (const auto* none = std::get_if<NoAnswer>(&reply))
        return without_answer(MirrorLook::Kind::silent, none->error.text);
    const auto* malformed = std::get_if<Malformed>(&reply);
    return without_answer(
        MirrorLook::Kind::failed,
        "its answer makes no sense" + (malformed ? ": " + malformed->why : std::string()));
}

/// What it says of `domains`; what it leaves out it has not looked at.
std::vector<Mirrored::Seen> seen_of(const std::vector<mail::Domain>& domains,
                                    const std::vector<Mirrored::Seen>& said) {
    std::vector<Mirrored::Seen> seen;
    for (const auto& domain : domains) {
        const auto found = std::ranges::find(said, domain, &Mirrored::Seen::domain);
        seen.push_back({domain, found == said.end() ? Standing::later : found->standing});
    }
    return seen;
}

}  // namespace

const char* to_text(MirrorLook::Kind kind) {
    switch (kind) {
        case MirrorLook::Kind::seen:
            return "seen";
        case MirrorLook::Kind::older:
            return "older";
        case MirrorLook::Kind::refused:
            return "refused";
        case MirrorLook::Kind::unverified:
            return "unverified";
        case MirrorLook::Kind::busy:
            return "busy";
        case MirrorLook::Kind::silent:
            return "silent";
        case MirrorLook::Kind::failed:
            break;
    }
    return "failed";
}

base::Task<MirrorLook> look_in_mirror(Link& link, std::string peer,
                                      std::vector<mail::Domain> domains, const base::Clock& clock) {
    const auto asked = clock.steady();
    std::string type = "get";
    std::string payload = encode_mirror(domains);
    IqReply reply =
        co_await link.request(std::move(peer), std::move(type), std::move(payload), kMirrorTime);
    auto* const mirrored = std::get_if<Mirrored>(&reply);
    if (mirrored == nullptr) co_return no_view(reply);
    const milliseconds all = clock.steady() - asked;
    MirrorLook look;
    look.kind = MirrorLook::Kind::seen;
    look.round_trip = all - std::min(all, mirrored->took);
    // It was on its way back for half of that, for all that is known.
    look.ours = clock.now() - look.round_trip / 2;
    look.ahead = mirrored->time - look.ours;
    look.mirrored = std::move(*mirrored);
    look.mirrored.domains = seen_of(domains, look.mirrored.domains);
    co_return look;
}

}  // namespace component
