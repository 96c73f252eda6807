#include "app/command-line/commands.hpp"

#include "app/control_client.hpp"
#include "app/json_text.hpp"
#include "app/terminal.hpp"
#include "base/clock.hpp"

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

/// `12 of 200 messages`
std::string share(const json::object& row, const char* key, const char* words) {
    const auto count = number_of(row.at("last_hour").as_object(), key);
    const json::value& limit = row.at("limits").as_object().at(key);
    if (limit.is_null()) return fmt::format("{} {}", count, words);
    return fmt::format("{} of {} {}", count, limit.to_number<std::uint64_t>(), words);
}

/// What becomes of more.
std::string beyond_text(const std::string& beyond) {
    if (beyond == "log") return "; beyond its limit";
    return "; beyond its limit, and " + std::string(beyond == "hold" ? "held" : "refused");
}

}  // namespace

int retire(const Config& config, const std::string& component, bool retired) {
    const auto answer =
        ask_daemon(config.control_socket,
                   {{"command", retired ? "retire" : "resume"}, {"component", component}});
    if (!answer) return complain(answer.error());
    for (const auto& row : rows_of(*answer, "components")) {
        const json::object& each = row.as_object();
        terminal::line("component {}: {}", text_of(each, "jid"),
                       each.at("retired").as_bool() ? "retired" : "in service");
    }
    terminal::line("{} recipients wait", number_of(*answer, "waiting"));
    if (retired) {
        terminal::line(
            "Peers that are up hear of it now. One that is down keeps its mail for us until it has "
            "asked again, or for 72 hours, and sends it by SMTP then.");
    }
    return 0;
}

int routes_list(const Config& config, bool as_json) {
    const auto answer = ask_daemon(config.control_socket, {{"command", "routes-list"}});
    if (!answer) return complain(answer.error());
    const json::array& rows = rows_of(*answer, "routes");
    if (as_json) {
        terminal::put_json(json::value(rows));
        return 0;
    }
    for (const auto& each : rows) {
        const json::object& row = each.as_object();
        const std::string component = text_of(row, "component");
        const std::string seen = text_of(row, "last_seen");
        terminal::line("{}  {}  {}{}{}", text_of(row, "domain"),
                       component.empty() ? "no component known" : component, text_of(row, "state"),
                       row.at("required").as_bool() ? ", required" : "",
                       seen.empty() ? "" : ", confirmed " + seen);
    }
    terminal::line("{} domains{}", rows.size(), answer->at("cut").as_bool() ? ", and more" : "");
    return 0;
}

int routes_forget(const Config& config, const std::string& domain) {
    const auto answer =
        ask_daemon(config.control_socket, {{"command", "routes-forget"}, {"domain", domain}});
    if (!answer) return complain(answer.error());
    terminal::line("{}: forgotten{}", text_of(*answer, "domain"),
                   answer->at("required").as_bool()
                       ? "; Postfix still gives us its mail, as its policy is require"
                       : "");
    return 0;
}

namespace {

void print_complaints(const json::array& rows) {
    for (const auto& each : rows) {
        const json::object& row = each.as_object();
        terminal::line(
            "complaints  {}  {} of {} on {} of the last 7 days; its mail there is slowed "
            "to one recipient in {} s",
            text_of(row, "name"), number_of(row, "complaints"), text_of(row, "domain"),
            number_of(row, "days"), number_of(row, "one_in_s"));
    }
}

}  // namespace

int senders_list(const Config& config, bool as_json) {
    const auto answer = ask_daemon(config.control_socket, {{"command", "senders-list"}});
    if (!answer) return complain(answer.error());
    const json::array& rows = rows_of(*answer, "senders");
    const json::array& against = rows_of(*answer, "complaints");
    if (as_json) {
        json::array all(rows);
        all.insert(all.end(), against.begin(), against.end());
        terminal::put_json(json::value(std::move(all)));
        return 0;
    }
    print_complaints(against);
    for (const auto& each : rows) {
        const json::object& row = each.as_object();
        terminal::line("{:<6}  {}  {}, {}, {}{}", text_of(row, "kind"), text_of(row, "name"),
                       share(row, "messages", "messages"), share(row, "recipients", "recipients"),
                       share(row, "unknown-recipients", "unknown recipients"),
                       row.at("is_beyond").as_bool() ? beyond_text(text_of(row, "beyond")) : "");
    }
    terminal::line("{} senders in the last hour{}", rows.size(),
                   answer->at("cut").as_bool() ? ", and more" : "");
    return 0;
}

int senders_forget(const Config& config, const std::string& name) {
    const auto answer =
        ask_daemon(config.control_socket, {{"command", "senders-forget"}, {"name", name}});
    if (!answer) return complain(answer.error());
    terminal::line("{}: forgotten", text_of(*answer, "name"));
    return 0;
}

int trace(const Config& config, const std::string& name, bool as_json) {
    const auto answer = ask_daemon(config.control_socket, {{"command", "trace"}, {"name", name}});
    if (!answer) return complain(answer.error());
    if (as_json) {
        terminal::put_json(answer->at("messages"));
        return 0;
    }
    for (const auto& each : rows_of(*answer, "messages")) {
        const json::object& message = each.as_object();
        terminal::line("{}  <{}>  {} bytes  Message-ID {}", text_of(message, "id"),
                       text_of(message, "from"), number_of(message, "size"),
                       text_of(message, "message_id"));
        for (const auto& line : rows_of(message, "steps")) {
            const json::object& step = line.as_object();
            const std::string recipient = text_of(step, "recipient");
            terminal::line("  {}  {:<10}{} {}", precise(number_of(step, "at")),
                           text_of(step, "what"), recipient.empty() ? "" : " <" + recipient + ">",
                           text_of(step, "detail"));
        }
    }
    return 0;
}

}  // namespace app
