#include "app/command-line/peer_commands.hpp"

#include "app/control_client.hpp"
#include "app/json_text.hpp"
#include "app/terminal.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace app {
namespace {

namespace json = boost::json;

const json::object& figures_of(const json::object& row, const char* key) {
    return row.at(key).as_object();
}

/// `poor (by hand)`
std::string class_text(const json::object& peer) {
    const std::string by = text_of(peer, "by");
    return text_of(peer, "class") + (by == "figures" ? "" : " (by " + by + ")");
}

std::string counts(const json::object& figures) {
    return fmt::format("{} messages, {} recipients, {} unknown, {} refused, {} complaints",
                       number_of(figures, "messages"), number_of(figures, "recipients"),
                       number_of(figures, "unknown"), number_of(figures, "refused"),
                       number_of(figures, "complaints"));
}

/// The sum as one does it with a pencil.
void print_sum(const json::object& peer) {
    int weight = 8;
    int youngest = 0;
    for (const auto& each : rows_of(peer, "periods")) {
        constexpr int kPeriod = 30;
        const json::object& period = each.as_object();
        terminal::line("  {:>3} to {:>3} days ago  {}; bad {}, counts {} times", youngest,
                       youngest + kPeriod - 1, counts(period), number_of(period, "bad"), weight);
        weight /= 2;
        youngest += kPeriod;
    }
    const std::int64_t bad = number_of(peer, "weighed_bad");
    const std::int64_t recipients = number_of(peer, "weighed_recipients");
    const double percent =
        recipients > 0 ? 100.0 * static_cast<double>(bad) / static_cast<double>(recipients) : 0.0;
    terminal::line("  bad {} of {} recipients: {:.1f}%", bad, recipients, percent);
}

std::string number_or_none(const json::value& value) {
    return value.is_null() ? "none" : fmt::format("{}", value.to_number<std::int64_t>());
}

/// A line for each limit: `messages: 60 an hour, 12 of 60 used`.
void print_usage(const json::object& usage, const char* whose) {
    for (const char* const what : {"messages", "recipients", "bytes"}) {
        const auto* const limit = usage.if_contains(what);
        if (limit == nullptr) continue;
        const json::object& numbers = limit->as_object();
        terminal::line("    {} {}: {} an hour; {} of {} at once are used", what, whose,
                       number_of(numbers, "an_hour"), number_of(numbers, "used"),
                       number_of(numbers, "at_once"));
    }
}

/// What its class means, and how much of that is used.
void print_means(const json::object& peer) {
    const json::object& means = peer.at("means").as_object();
    const json::object& own = means.at("of_organisation").as_object();
    terminal::line("  class {}: {}; largest message {}; assurance {}", text_of(peer, "class"),
                   means.at("refuse").as_bool() ? "refused" : "taken",
                   number_or_none(means.at("max_size")), text_of(means, "assurance"));
    print_usage(own, "of its organisation");
    print_usage(means.at("of_class").as_object(), "of all domains of the class");
    terminal::line("    today {} put off, {} refused", number_of(own, "put_off"),
                   number_of(own, "refused"));
}

}  // namespace

int peers_list(const Config& config, bool as_json) {
    terminal::JsonArray array;
    std::size_t count = 0;
    json::object asked{{"command", "peers-list"}};
    for (bool more = true; more;) {
        auto page = ask_daemon(config.control_socket, asked);
        if (!page) return complain(page.error());
        for (const auto& each : rows_of(*page, "peers")) {
            ++count;
            const json::object& peer = each.as_object();
            if (as_json)
                array.put(peer);
            else
                terminal::line("{:<30}  {:<17}  since {}, last {}: {}", text_of(peer, "domain"),
                               class_text(peer), text_of(peer, "since"), text_of(peer, "last"),
                               counts(figures_of(peer, "total")));
        }
        auto* const after = page->if_contains("after");
        more = after != nullptr;
        if (more) asked["after"] = std::move(*after);
    }
    if (as_json)
        array.end();
    else
        terminal::line("{} domains", count);
    return 0;
}

int peers_show(const Config& config, const std::string& domain, bool as_json) {
    const auto answer =
        ask_daemon(config.control_socket, {{"command", "peers-show"}, {"domain", domain}});
    if (!answer) return complain(answer.error());
    const json::object& peer = answer->at("peer").as_object();
    if (as_json) {
        terminal::put_json(peer);
        return 0;
    }
    const std::string set_at = text_of(peer, "set_at");
    terminal::line("{}: {}{}", text_of(peer, "domain"), class_text(peer),
                   set_at.empty() ? "" : ", since " + set_at);
    if (!peer.at("is_in_book").as_bool()) {
        terminal::line("  nothing of it is in the peer book");
        print_means(peer);
        return 0;
    }
    terminal::line("  known since {}, last counted {}, mail on {} days", text_of(peer, "since"),
                   text_of(peer, "last"), number_of(peer, "days"));
    print_sum(peer);
    print_means(peer);
    for (const auto& each : rows_of(peer, "by_day")) {
        const json::object& day = each.as_object();
        terminal::line("  {}  {}", text_of(day, "day"), counts(day));
    }
    return 0;
}

int peers_set(const Config& config, const std::string& domain, const std::string& peer_class) {
    const auto answer =
        ask_daemon(config.control_socket,
                   {{"command", "peers-set"}, {"domain", domain}, {"class", peer_class}});
    if (!answer) return complain(answer.error());
    terminal::line("{}: {}", text_of(*answer, "domain"),
                   peer_class.empty() ? "as its figures say" : peer_class);
    return 0;
}

int peers_forget(const Config& config, const std::string& domain) {
    const auto answer =
        ask_daemon(config.control_socket, {{"command", "peers-forget"}, {"domain", domain}});
    if (!answer) return complain(answer.error());
    terminal::line("{}: forgotten", text_of(*answer, "domain"));
    return 0;
}

}  // namespace app
