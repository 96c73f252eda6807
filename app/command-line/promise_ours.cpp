#include "app/command-line/promise_ours.hpp"

#include "app/control_client.hpp"
#include "app/json_text.hpp"
#include "app/terminal.hpp"

#include <boost/json.hpp>

namespace app {

namespace json = boost::json;

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
