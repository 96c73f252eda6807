#include "app/command-line/off_commands.hpp"

#include "app/control_client.hpp"
#include "app/daemon/off_json.hpp"
#include "app/json_text.hpp"
#include "app/terminal.hpp"

#include <boost/json.hpp>

namespace app {
namespace {

namespace json = boost::json;

void print_off(const json::object& answer, bool as_json) {
    if (as_json) {
        json::object told{{"off", answer.at("off")}, {"waiting", answer.at("waiting")}};
        if (const auto* const required = answer.if_contains("some_required"))
            told["some_required"] = *required;
        return terminal::put_json(told);
    }
    const std::string off = off_text(answer);
    terminal::line("XMPP is {}", off.empty() ? "on" : off);
    const auto* const required = answer.if_contains("some_required");
    if (required != nullptr && required->as_bool())
        terminal::line(
            "mail whose policy is require waits: it goes over XMPP or not at all (set policy = "
            "prefer and reload, if it must go)");
    terminal::line("{} recipients wait", number_of(answer, "waiting"));
}

}  // namespace

int turn_off(const Config& config, const std::string& until, bool as_json) {
    const auto answer = ask_daemon(config.control_socket, {{"command", "off"}, {"until", until}});
    if (!answer) return complain(answer.error());
    print_off(*answer, as_json);
    return 0;
}

int turn_on(const Config& config, bool as_json) {
    const auto answer = ask_daemon(config.control_socket, {{"command", "on"}});
    if (!answer) return complain(answer.error());
    print_off(*answer, as_json);
    return 0;
}

}  // namespace app
