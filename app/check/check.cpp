#include "app/check/check.hpp"

#include "app/answer_of.hpp"
#include "app/check/check_certificate.hpp"
#include "app/check/check_clock.hpp"
#include "app/check/check_ejabberd.hpp"
#include "app/check/check_hand_over.hpp"
#include "app/check/check_lists.hpp"
#include "app/check/check_mirror.hpp"
#include "app/check/check_names.hpp"
#include "app/check/check_own_domains.hpp"
#include "app/check/check_postfix.hpp"
#include "app/check/check_prosody.hpp"
#include "app/check/check_resolver.hpp"
#include "app/check/check_secret.hpp"
#include "app/check/check_size.hpp"
#include "app/check/check_space.hpp"
#include "app/check/findings.hpp"
#include "app/control_client.hpp"
#include "app/daemon/off_json.hpp"
#include "app/json_text.hpp"
#include "app/terminal.hpp"
#include "mail/domain.hpp"
#include "smtp-bridge/client/client.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace app {
namespace {

namespace json = boost::json;

void check_target(Findings& findings, const char* what, const smtp_bridge::Target& target,
                  const Config& config) {
    const auto greeting = answer_of<std::string>([&] {
        return smtp_bridge::probe(target, {config.hostname, {}, config.client_tls});
    });
    const bool is_here = target.endpoint.is_local() && !target.endpoint.is_unix() &&
                         target.protocol == smtp_bridge::Protocol::smtp;
    findings.add(greeting.has_value(),
                 fmt::format("{} {}: {}{}", what, target.to_text(),
                             greeting ? *greeting : greeting.error().text,
                             !greeting && is_here ? " (examples/postfix/master.cf)" : ""));
}

void check_components(Findings& findings, const json::object& status) {
    for (const auto& row : rows_of(status, "components")) {
        const json::object& component = row.as_object();
        const bool established = component.at("established").as_bool();
        findings.add(established,
                     established
                         ? fmt::format("component {}: connected since {}{}",
                                       text_of(component, "jid"), text_of(component, "since"),
                                       component.at("retired").as_bool() ? ", retired" : "")
                         : fmt::format("component {}: not connected: {}", text_of(component, "jid"),
                                       text_of(component, "last_error")));
    }
}

/// Whatever it is, it is in order.
void report_promise(const std::string& domain, const json::object& answer) {
    const json::value* const promise = answer.if_contains("promise");
    if (promise == nullptr || !promise->is_object()) return;
    terminal::line(
        "       {} has promised that its mail comes over XMPP only, until {} ({}: see "
        "packetboat promise show {})",
        domain, text_of(promise->as_object(), "until"), text_of(promise->as_object(), "state"),
        domain);
}

void check_domain(Findings& findings, const Config& config, const json::object& status,
                  const std::string& domain) {
    const auto answer =
        ask_daemon(config.control_socket, {{"command", "look-up"}, {"domain", domain}});
    if (!answer) return findings.add(false, domain + ": " + answer.error().text);
    for (const auto& step : rows_of(*answer, "steps"))
        terminal::line("       {}", std::string(step.as_string()));
    const std::string state = text_of(*answer, "state");
    const std::string component = text_of(*answer, "component");
    if (state == "ours") return report_own_domain(findings, domain, *answer);
    report_promise(domain, *answer);
    if (state == "supported") {
        findings.add(true, fmt::format("{}: takes mail over XMPP, at {}", domain, component));
        check_mirror(findings, config, status, domain, component);
    } else if (state == "down") {
        findings.add(false,
                     fmt::format("{}: can't be reached now: {}", domain, text_of(*answer, "why")));
    } else {
        const json::value* const disputed = answer->if_contains("disputed");
        const bool in_order = disputed == nullptr || !disputed->is_bool() || !disputed->as_bool();
        findings.add(in_order, fmt::format("{}: takes no mail over XMPP, so it goes by SMTP: {}",
                                           domain, text_of(*answer, "why")));
    }
}

}  // namespace

int check(const Config& config, const std::vector<std::string>& domains) {
    for (const std::string& domain : domains) {
        const auto parsed = mail::Domain::parse(domain);
        if (!parsed)
            return complain(base::fail(base::Errc::syntax, domain + ": " + parsed.error().text));
    }
    Findings findings;
    findings.add(true, fmt::format("configuration {}", config.file.string()));
    check_names(findings, config);
    check_secrets(findings, config);
    check_space(findings, config);
    check_resolver(findings, config);
    check_certificates(findings, config);
    check_lists(findings, config);
    for (const auto& [domain, targets] : config.deliver_to) {
        for (const auto& target : targets)
            check_target(findings, "deliver-to", target, config);
    }
    for (const auto& target : config.return_to)
        check_target(findings, "return-to", target, config);
    if (config.return_to.empty()) {
        findings.add(false,
                     "return-to is not set: mail that can't go over XMPP waits until it expires");
    }
    check_hand_over(findings, config);
    check_size(findings, config);
    check_postfix(findings, config);
    check_ejabberd(findings, config);
    check_prosody(findings, config);
    const auto status = ask_daemon(config.control_socket, {{"command", "status"}});
    if (!status) {
        findings.add(false, status.error().text);
        return findings.exit_status();
    }
    check_components(findings, *status);
    if (const std::string off = off_text(*status); !off.empty())
        findings.add(false, "XMPP: " + off);
    check_own_domains(findings, config, *status, domains);
    const std::string oldest = text_of(*status, "oldest");
    findings.add(true,
                 fmt::format("queue: {} recipients wait{}", number_of(*status, "waiting"),
                             oldest.empty() ? std::string() : ", the oldest since " + oldest));
    check_clock(findings, *status);
    for (const std::string& domain : domains)
        check_domain(findings, config, *status, domain);
    return findings.exit_status();
}

}  // namespace app
