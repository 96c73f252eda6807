#include "app/check/check_mirror.hpp"

#include "app/control_client.hpp"
#include "app/json_text.hpp"
#include "component/protocol/mirror.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace app {
namespace {

namespace json = boost::json;

// Requests to one peer: it answers an organisation's twenty, and each may take a minute.
constexpr int kMostAsked = 5;
// Milliseconds that clocks may differ: far less than any time in the protocol, and more than one
// that is synchronised ever does.
constexpr std::int64_t kClocksDiffer = 30'000;

std::string in_letters(const std::string& ascii) {
    const auto domain = mail::Domain::parse(ascii);
    return domain ? domain->unicode() : ascii;
}

std::string size_text(std::int64_t bytes) {
    constexpr std::int64_t kKibi = 1024;
    const bool is_large = bytes >= kKibi * kKibi;
    const auto number =
        static_cast<double>(bytes) / static_cast<double>(is_large ? kKibi * kKibi : kKibi);
    // In full numbers where there is one: it is what stands in the configuration.
    const bool is_whole = bytes % (is_large ? kKibi * kKibi : kKibi) == 0;
    return fmt::format("{:.{}f} {}", number, is_whole ? 0 : 1, is_large ? "MiB" : "KiB");
}

/// `0.3 s`
std::string seconds_text(std::int64_t milliseconds) {
    return fmt::format("{:.1f} s", static_cast<double>(milliseconds) / 1000);
}

struct Trouble {
    std::string reason;
    std::string mend;
};

std::string naming(const std::string& domain, const std::string& component) {
    return fmt::format("{} has to name {} in mail-transfer-addresses", domain, component);
}

Trouble trouble_of(component::Standing standing, const std::string& domain,
                   const std::string& component) {
    using component::Standing;
    switch (standing) {
        case Standing::disputed:
            return {"several components claim it", naming(domain, component)};
        case Standing::no_server:
            return {fmt::format("it finds no _xmpp-server._tcp.{} in the DNS", domain),
                    "the record; if it is there, the DNS server that the peer asks does not have "
                    "it yet"};
        case Standing::unreachable:
            return {fmt::format("it can't ask {} over XMPP", domain),
                    fmt::format("the XMPP server of {} has to serve it, with a certificate for it, "
                                "and to be reached from there on port 5269",
                                domain)};
        default:
            return {fmt::format("{} does not name or list it", domain), naming(domain, component)};
    }
}

MirrorLine not_believed(const std::string& peer, const std::string& component,
                        const std::string& domain, const Trouble& trouble) {
    return {false, fmt::format("{} does not take {} for {}'s component: {}. Mend: {}", peer,
                               component, domain, trouble.reason, trouble.mend)};
}

void add_domains(std::vector<MirrorLine>& lines, const std::string& peer,
                 const std::string& component, const json::object& answer) {
    std::vector<std::string> verified;
    std::vector<MirrorLine> others;
    for (const auto& row : rows_of(answer, "domains")) {
        const std::string domain = in_letters(text_of(row.as_object(), "domain"));
        const auto standing = component::parse_standing(text_of(row.as_object(), "state"));
        if (standing == component::Standing::verified)
            verified.push_back(domain);
        else if (!standing || standing == component::Standing::later)
            others.push_back(
                {true, fmt::format("{} has not looked now whether {} is {}'s component: ask again "
                                   "in a minute",
                                   peer, component, domain)});
        else
            others.push_back(
                not_believed(peer, component, domain, trouble_of(*standing, domain, component)));
    }
    if (!verified.empty())
        lines.push_back({true, fmt::format("{} takes {} for the component of {}", peer, component,
                                           fmt::join(verified, ", "))});
    std::ranges::move(others, std::back_inserter(lines));
}

MirrorLine clock_line(const std::string& domain, const json::object& answer) {
    const std::int64_t ahead = number_of(answer, "ahead");
    const std::int64_t round_trip = number_of(answer, "round_trip");
    const std::int64_t apart = std::abs(ahead);
    const char* const where = ahead < 0 ? "behind" : "ahead of";
    // Nobody knows how much of the round trip was the way there.
    if (apart > kClocksDiffer + round_trip / 2)
        return {false,
                fmt::format("{}: its clock shows {} where ours shows {}: it is {} {} ours, and a "
                            "round trip takes {} ms. Mend: the clock that is wrong, by its "
                            "synchronisation (timedatectl)",
                            domain, text_of(answer, "its_time"), text_of(answer, "our_time"),
                            seconds_text(apart), where, round_trip)};
    return {true, fmt::format("{}: round trip {} ms; its clock is {} {} ours", domain, round_trip,
                              seconds_text(apart), where)};
}

std::vector<mail::Domain> first_few(const std::vector<mail::Domain>& domains) {
    const std::size_t few = std::min(domains.size(), component::kMirrorDomains);
    return {domains.begin(), domains.begin() + static_cast<std::ptrdiff_t>(few)};
}

/// The domains of each component of ours that is connected and in service.
std::vector<const component::ComponentSettings*> components_to_ask(const Config& config,
                                                                   const json::object& status) {
    std::vector<const component::ComponentSettings*> components;
    for (const auto& row : rows_of(status, "components")) {
        const json::object& known = row.as_object();
        if (!known.at("established").as_bool() || known.at("retired").as_bool()) continue;
        const auto found = std::ranges::find(config.components, text_of(known, "jid"),
                                             &component::ComponentSettings::jid);
        if (found != config.components.end()) components.push_back(&*found);
    }
    return components;
}

}  // namespace

std::vector<MirrorLine> mirror_lines(const std::string& domain, const std::string& component,
                                     const mail::Domain& first, const json::object& answer) {
    const std::string state = text_of(answer, "state");
    const std::string why = text_of(answer, "why");
    const std::string name = first.unicode();
    std::vector<MirrorLine> lines;
    if (state == "seen") {
        lines.push_back({true, fmt::format("{} sees our link as {} ({})", domain,
                                           text_of(answer, "assurance"), component)});
        add_domains(lines, domain, component, answer);
    } else if (state == "older") {
        lines.push_back(
            {true, fmt::format("{} does not answer how it sees us (an older version)", domain)});
    } else if (state == "refused") {
        lines.push_back(
            not_believed(domain, component, name, {"it says " + why, naming(name, component)}));
    } else if (state == "unverified") {
        Trouble trouble = trouble_of(component::Standing::unreachable, name, component);
        trouble.reason += " (it says " + why + ")";
        lines.push_back(not_believed(domain, component, name, trouble));
    } else if (state == "busy") {
        lines.push_back({true, fmt::format("{} does not say now how it sees us: {}", domain, why)});
    } else {
        lines.push_back({false, fmt::format("{} does not say how it sees us: {}", domain, why)});
    }
    return lines;
}

std::vector<MirrorLine> peer_lines(const std::string& domain, const json::object& answer) {
    if (text_of(answer, "state") != "seen") return {};
    return {{true, fmt::format("{} takes mails up to {}, stanzas up to {} from us", domain,
                               size_text(number_of(answer, "max_size")),
                               size_text(number_of(answer, "max_stanza")))},
            clock_line(domain, answer)};
}

void check_mirror(Findings& findings, const Config& config, const json::object& status,
                  const std::string& domain, const std::string& peer) {
    bool has_said = false;
    int asked = 0;
    for (const component::ComponentSettings* const ours : components_to_ask(config, status)) {
        std::vector<mail::Domain> left = ours->domains;
        while (!left.empty() && asked++ < kMostAsked) {
            const std::vector<mail::Domain> now = first_few(left);
            json::array names;
            for (const auto& each : now)
                names.emplace_back(each.ascii());
            const auto answer = ask_daemon(config.control_socket, {{"command", "mirror"},
                                                                   {"peer", peer},
                                                                   {"component", ours->jid},
                                                                   {"domains", std::move(names)}});
            if (!answer) return findings.add(false, domain + ": " + answer.error().text);
            for (const auto& line : mirror_lines(domain, ours->jid, now.front(), *answer))
                findings.add(line.good, line.text);
            const std::string state = text_of(*answer, "state");
            // Who does not believe us of the first may do so of the others.
            const bool on_first = state == "refused" || state == "unverified";
            if (state != "seen" && !on_first) return;
            if (state == "seen" && !std::exchange(has_said, true)) {
                for (const auto& line : peer_lines(domain, *answer))
                    findings.add(line.good, line.text);
            }
            left.erase(left.begin(),
                       left.begin() + static_cast<std::ptrdiff_t>(on_first ? 1 : now.size()));
        }
    }
}

}  // namespace app
