#include "app/command-line/queue_commands.hpp"

#include "app/command-line/commands.hpp"
#include "app/control_client.hpp"
#include "app/daemon/selection_json.hpp"
#include "app/json_text.hpp"
#include "app/terminal.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

namespace app {
namespace {

namespace json = boost::json;

/// Where it goes: the lane, and the component that it is bound to, if it is.
std::string next_hop(const json::object& row) {
    const std::string peer = text_of(row, "peer");
    return text_of(row, "lane") + (peer.empty() ? "" : " (" + peer + ")");
}

void print_why(const json::object& row) {
    const std::string quarantine = text_of(row, "quarantine");
    if (!quarantine.empty()) {
        terminal::line("             in quarantine: {}", quarantine);
        return;
    }
    const auto* const unreadable = row.if_contains("unreadable");
    if (unreadable != nullptr && unreadable->is_bool() && unreadable->as_bool())
        terminal::line("             its message can't be read: a damaged page of the database");
    const std::string reply = text_of(row, "last_reply");
    if (reply.empty()) return;
    terminal::line("             {} tries, next {}: {}", number_of(row, "attempts"),
                   text_of(row, "state") == "held" ? "once released" : text_of(row, "next_try"),
                   reply);
}

void print_recipient(const json::object& row) {
    terminal::line("{}  {}  {:>9}  {:<8}  {:<20}  <{}> -> <{}>", text_of(row, "id"),
                   text_of(row, "received"), number_of(row, "size"), text_of(row, "state"),
                   next_hop(row), text_of(row, "from"), text_of(row, "to"));
    print_why(row);
}

/// Calls `each` for every recipient of the list, of at most `most`, page by page. True if there are
/// more.
base::Result<bool> for_each_listed(const Config& config, json::object filters, std::size_t most,
                                   const std::function<void(const json::object&)>& each) {
    filters["command"] = "queue-list";
    for (std::size_t left = most;;) {
        filters["limit"] = std::to_string(left);
        auto page = ask_daemon(config.control_socket, filters);
        if (!page) return page.error();
        const json::array& rows = rows_of(*page, "recipients");
        for (const auto& row : rows)
            each(row.as_object());
        left -= std::min(left, rows.size());
        auto* const after = page->if_contains("after");
        if (after == nullptr || left == 0) return after != nullptr;
        filters["after"] = std::move(*after);
    }
}

}  // namespace

int queue_list(const Config& config, json::object filters, bool as_json) {
    const auto most = read_limit(filters);
    if (!most) return complain(most.error());
    std::size_t count = 0;
    terminal::JsonArray array;
    const auto more =
        for_each_listed(config, std::move(filters), *most, [&](const json::object& row) {
            ++count;
            as_json ? array.put(row) : print_recipient(row);
        });
    if (!more) return complain(more.error());
    if (as_json)
        array.end();
    else
        terminal::line("{} recipients{}", count, *more ? ", and more (--limit)" : " wait");
    return 0;
}

int queue_show(const Config& config, const std::string& id, bool as_json) {
    const auto traced = ask_daemon(config.control_socket, {{"command", "trace"}, {"name", id}});
    if (!traced) return complain(traced.error());
    const json::array& messages = rows_of(*traced, "messages");
    const std::string queue_id =
        messages.size() == 1 ? text_of(messages.front().as_object(), "id") : std::string();
    if (queue_id.empty())
        return complain(base::fail(base::Errc::conflict,
                                   id + " names several messages; see packetboat trace " + id));
    json::array rows;
    const auto more = for_each_listed(config, {{"ids", json::array{json::string(queue_id)}}},
                                      base::limits::kListed,
                                      [&](const json::object& row) { rows.emplace_back(row); });
    if (!more) return complain(more.error());
    if (as_json) {
        json::object whole = messages.front().as_object();
        whole["waiting"] = std::move(rows);
        terminal::put_json(whole);
        return 0;
    }
    if (!rows.empty()) {
        const json::object& first = rows.front().as_object();
        terminal::line("{} mail, expires {}", text_of(first, "class"), text_of(first, "expires"));
    }
    for (const auto& each : rows) {
        const json::object& row = each.as_object();
        print_recipient(row);
        if (!text_of(row, "transfer").empty())
            terminal::line("             transfer {}, sent {} times", text_of(row, "transfer"),
                           number_of(row, "sends"));
    }
    return trace(config, queue_id, false);
}

int queue_operate(const Config& config, const std::string& verb, json::object filters,
                  bool as_json) {
    filters["command"] = "queue";
    filters["verb"] = verb;
    const auto answer = ask_daemon(config.control_socket, filters);
    if (!answer) return complain(answer.error());
    const json::array& refused = rows_of(*answer, "refused");
    if (as_json) {
        terminal::put_json(*answer);
        return refused.empty() ? 0 : 1;
    }
    terminal::line("{}: {} recipients", verb, number_of(*answer, "changed"));
    if (const auto unclear = number_of(*answer, "delivery_not_excluded"); unclear > 0)
        terminal::line("of these, {} were sent and have no verdict: delivery can't be excluded",
                       unclear);
    if (const auto busy = number_of(*answer, "being_delivered"); busy > 0)
        terminal::line("passed over: {} are being delivered now", busy);
    if (const auto other = number_of(*answer, "in_another_state"); other > 0)
        terminal::line("passed over: {} are in another state", other);
    for (const auto& line : refused)
        terminal::complain(std::string(line.as_string()));
    return refused.empty() ? 0 : 1;
}

}  // namespace app
