#include "app/check/check_own_domains.hpp"

#include "app/control_client.hpp"
#include "app/json_text.hpp"

#include <set>

#include <fmt/format.h>

namespace app {
namespace {

namespace json = boost::json;

// Domains, after which no other is asked: each may take a minute and a half, and the cause is one.
constexpr int kMostBad = 5;

/// The components that are there, and are meant to be found.
std::set<std::string> in_service(const json::object& status) {
    std::set<std::string> names;
    for (const auto& row : rows_of(status, "components")) {
        const json::object& component = row.as_object();
        if (component.at("established").as_bool() && !component.at("retired").as_bool())
            names.insert(text_of(component, "jid"));
    }
    return names;
}

std::string advice(const std::string& fault, const std::string& domain,
                   const std::string& component) {
    if (fault == "no-server") return "; other domains look no further, so it needs this record";
    if (fault == "unreachable")
        return fmt::format(
            "; the XMPP server of {} has to serve {}, too (a VirtualHost of Prosody's, "
            "an entry of ejabberd's hosts)",
            component, domain);
    if (fault == "unlisted" || fault == "other")
        return fmt::format("; {} has to name {} in mail-transfer-addresses", domain, component);
    return {};
}

/// False if it is not in order.
bool is_in_order(const json::object& answer) {
    return text_of(answer, "fault").empty();
}

}  // namespace

void report_own_domain(Findings& findings, const std::string& domain, const json::object& answer) {
    const std::string component = text_of(answer, "component");
    const std::string ours = text_of(answer, "served_by");
    const std::string fault = text_of(answer, "fault");
    if (is_in_order(answer)) {
        std::string text = fmt::format("{}: ours; other domains find {}", domain, component);
        if (component != ours) text += fmt::format(", and believe {} when it sends", ours);
        return findings.add(true, text);
    }
    // The name of a component that is no mail domain.
    const std::string cure = ours.empty() ? std::string() : advice(fault, domain, ours);
    findings.add(
        false,
        component.empty()
            ? fmt::format("{}: ours, but other domains don't find that: {}{}", domain,
                          text_of(answer, "why"), cure)
            : fmt::format("{}: ours, but other domains find {}, which does not serve it here{}",
                          domain, component, cure));
}

void check_own_domains(Findings& findings, const Config& config, const json::object& status,
                       const std::vector<std::string>& others) {
    std::set<std::string> asked;
    for (const auto& other : others) {
        if (const auto domain = mail::Domain::parse(other)) asked.insert(domain->ascii());
    }
    const auto names = in_service(status);
    int bad = 0;
    for (const auto& component : config.components) {
        if (!names.contains(component.jid)) continue;
        for (const auto& domain : component.domains) {
            if (asked.contains(domain.ascii())) continue;
            const std::string name = domain.unicode();
            if (bad >= kMostBad)
                return findings.add(false, "no further domains of ours were looked at");
            const auto answer = ask_daemon(config.control_socket,
                                           {{"command", "look-up"}, {"domain", domain.ascii()}});
            if (!answer) {
                findings.add(false, name + ": " + answer.error().text);
            } else if (text_of(*answer, "state") != "ours") {
                findings.add(false, name + ": the daemon does not serve it yet: restart it");
            } else {
                report_own_domain(findings, name, *answer);
            }
            bad += answer && is_in_order(*answer) ? 0 : 1;
        }
    }
}

}  // namespace app
