#include "app/commands.hpp"

#include "app/control_client.hpp"
#include "app/json_text.hpp"
#include "base/async.hpp"
#include "base/clock.hpp"
#include "smtp-bridge/client.hpp"

#include <cstdio>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace app {
namespace {

namespace json = boost::json;

/// To the millisecond, as the steps of a trace are close together.
std::string precise(std::int64_t millis) {
    const base::TimePoint time{std::chrono::milliseconds(millis)};
    std::string text = base::to_datetime(time);
    text.pop_back();
    return fmt::format("{}.{:03}Z", text, millis % 1000);
}

/// Prints lines that begin with "ok" or "BAD", and remembers whether there was a BAD one.
class Findings {
  public:
    void add(bool good, const std::string& text) {
        fmt::print("{:<4} {}\n", good ? "ok" : "BAD", text);
        bad_ = bad_ || !good;
    }
    int exit_status() const { return bad_ ? 1 : 0; }

  private:
    bool bad_ = false;
};

void check_target(Findings& findings, const char* what, const smtp_bridge::Target& target,
                  const Config& config) {
    base::asio::io_context io(1);
    std::optional<base::Result<std::string>> greeting;
    base::spawn(io.get_executor(), "probe", [&]() -> base::Task<void> {
        smtp_bridge::ClientSettings settings{config.hostname, {}, config.client_tls};
        base::Result<std::string> answer = co_await smtp_bridge::probe(target, std::move(settings));
        greeting.emplace(std::move(answer));
    });
    io.run();
    const bool good = greeting && *greeting;
    findings.add(good, fmt::format("{} {}: {}", what, target.to_text(),
                                   good ? **greeting : greeting->error().text));
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

void check_domain(Findings& findings, const Config& config, const std::string& domain) {
    const auto answer =
        ask_daemon(config.control_socket, {{"command", "look-up"}, {"domain", domain}});
    if (!answer) return findings.add(false, domain + ": " + answer.error().text);
    for (const auto& step : rows_of(*answer, "steps"))
        fmt::print("       {}\n", std::string(step.as_string()));
    const std::string state = text_of(*answer, "state");
    const std::string component = text_of(*answer, "component");
    if (state == "supported") {
        findings.add(true, fmt::format("{}: takes mail over XMPP, at {}", domain, component));
    } else if (state == "down") {
        findings.add(false,
                     fmt::format("{}: can't be reached now: {}", domain, text_of(*answer, "why")));
    } else {
        findings.add(true, fmt::format("{}: takes no mail over XMPP, so it goes by SMTP: {}",
                                       domain, text_of(*answer, "why")));
    }
}

}  // namespace

int check(const Config& config, const std::vector<std::string>& domains) {
    Findings findings;
    findings.add(true, fmt::format("configuration {}", config.file.string()));
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
    const auto status = ask_daemon(config.control_socket, {{"command", "status"}});
    if (!status) {
        findings.add(false, status.error().text);
        return findings.exit_status();
    }
    check_components(findings, *status);
    const std::string oldest = text_of(*status, "oldest");
    findings.add(true,
                 fmt::format("queue: {} recipients wait{}", number_of(*status, "waiting"),
                             oldest.empty() ? std::string() : ", the oldest since " + oldest));
    for (const std::string& domain : domains)
        check_domain(findings, config, domain);
    return findings.exit_status();
}

int retire(const Config& config, const std::string& component, bool retired) {
    const auto answer =
        ask_daemon(config.control_socket,
                   {{"command", retired ? "retire" : "resume"}, {"component", component}});
    if (!answer) return complain(answer.error());
    for (const auto& row : rows_of(*answer, "components")) {
        const json::object& each = row.as_object();
        fmt::print("component {}: {}\n", text_of(each, "jid"),
                   each.at("retired").as_bool() ? "retired" : "in service");
    }
    fmt::print("{} recipients wait\n", number_of(*answer, "waiting"));
    return 0;
}

int trace(const Config& config, const std::string& name, bool as_json) {
    const auto answer = ask_daemon(config.control_socket, {{"command", "trace"}, {"name", name}});
    if (!answer) return complain(answer.error());
    if (as_json) {
        fmt::print("{}\n", json::serialize(answer->at("messages")));
        return 0;
    }
    for (const auto& each : rows_of(*answer, "messages")) {
        const json::object& message = each.as_object();
        fmt::print("{}  <{}>  {} bytes  Message-ID {}\n", text_of(message, "id"),
                   text_of(message, "from"), number_of(message, "size"),
                   text_of(message, "message_id"));
        for (const auto& line : rows_of(message, "steps")) {
            const json::object& step = line.as_object();
            const std::string recipient = text_of(step, "recipient");
            fmt::print("  {}  {:<10}{} {}\n", precise(number_of(step, "at")), text_of(step, "what"),
                       recipient.empty() ? "" : " <" + recipient + ">", text_of(step, "detail"));
        }
    }
    return 0;
}

}  // namespace app
