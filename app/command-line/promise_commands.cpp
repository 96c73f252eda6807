#include "app/command-line/promise_commands.hpp"

#include "app/control_client.hpp"
#include "app/json_text.hpp"
#include "app/terminal.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace app {
namespace {

namespace json = boost::json;

std::string state_text(const json::object& promise) {
    const std::string state = text_of(promise, "state");
    if (state == "read") return "does not count yet";
    if (state == "counts") return "counts, but has had no verdict of ours";
    if (state == "over") return "is over";
    std::string ours;
    for (const auto& each : rows_of(promise, "bound"))
        ours += (ours.empty() ? "" : ", ") + std::string(each.as_string());
    return "binds it towards " + ours;
}

}  // namespace

int promise_list(const Config& config, bool as_json) {
    const auto answer = ask_daemon(config.control_socket, {{"command", "promise-list"}});
    if (!answer) return complain(answer.error());
    const json::array& rows = rows_of(*answer, "promises");
    if (as_json) {
        terminal::put_json(json::value(rows));
        return 0;
    }
    for (const auto& each : rows) {
        const json::object& promise = each.as_object();
        terminal::line("{:<30}  by {}, until {}: {}", text_of(promise, "domain"),
                       text_of(promise, "component"), text_of(promise, "until"),
                       state_text(promise));
    }
    terminal::line("{} promises", rows.size());
    return 0;
}

int promise_show(const Config& config, const std::string& domain, bool as_json) {
    const auto answer =
        ask_daemon(config.control_socket, {{"command", "promise-show"}, {"domain", domain}});
    if (!answer) return complain(answer.error());
    const json::object& promise = answer->at("promise").as_object();
    if (as_json) {
        terminal::put_json(promise);
        return 0;
    }
    terminal::line("{}: promised by {} that its mail comes over XMPP only",
                   text_of(promise, "domain"), text_of(promise, "component"));
    terminal::line("  {}", state_text(promise));
    terminal::line("  until {}; read first {}, last {}", text_of(promise, "until"),
                   text_of(promise, "first_read"), text_of(promise, "last_read"));
    return 0;
}

int promise_forget(const Config& config, const std::string& domain) {
    const auto answer =
        ask_daemon(config.control_socket, {{"command", "promise-forget"}, {"domain", domain}});
    if (!answer) return complain(answer.error());
    terminal::line("{}: forgotten; it counts again once it was read twice, a day apart",
                   text_of(*answer, "domain"));
    return 0;
}

int promise_ours(const Config& config, bool as_json) {
    const auto answer = ask_daemon(config.control_socket, {{"command", "promise-ours"}});
    if (!answer) return complain(answer.error());
    const json::array& rows = rows_of(*answer, "promises");
    if (as_json) {
        terminal::put_json(json::value(rows));
        return 0;
    }
    for (const auto& each : rows) {
        const json::object& row = each.as_object();
        const bool announced = row.at("announced").as_bool();
        std::string domains;
        for (const auto& domain : rows_of(row, "domains"))
            domains += (domains.empty() ? "" : " ") + std::string(domain.as_string());
        terminal::line("{}  {}  {} {}, until {} at the latest; {} peers have read {}",
                       text_of(row, "component"), domains,
                       announced ? "promised" : "withdrawn, and holds for",
                       announced ? "to all" : "who has not read that", text_of(row, "until"),
                       number_of(row, "told"), announced ? "it" : "it, and not its withdrawal");
        for (const auto& told : rows_of(row, "peers"))
            terminal::line("  {}  {}", text_of(told.as_object(), "peer"),
                           text_of(told.as_object(), "at"));
    }
    if (rows.empty()) terminal::line("nothing is promised");
    return 0;
}

}  // namespace app
