#include "app/command-line/command_table.hpp"

#include "app/check/check.hpp"
#include "app/command-line/commands.hpp"
#include "app/command-line/complaint_command.hpp"
#include "app/command-line/off_commands.hpp"
#include "app/command-line/peer_commands.hpp"
#include "app/command-line/promise_commands.hpp"
#include "app/command-line/queue_commands.hpp"
#include "app/command-line/store_commands.hpp"
#include "app/control_client.hpp"
#include "app/daemon/serve.hpp"
#include "app/setup/setup.hpp"
#include "app/terminal.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <iostream>

#include <boost/json.hpp>

namespace app {
namespace {

namespace json = boost::json;

/// The filters' options, and what they are called on the control socket.
constexpr std::pair<const char*, const char*> kFilters[] = {
    {"domain", "domain"}, {"sender-domain", "sender_domain"},
    {"from", "from"},     {"to", "to"},
    {"older", "older"},   {"newer", "newer"},
    {"state", "state"},   {"lane", "lane"},
    {"limit", "limit"}};

/// What an administrator may say of a peer, and the class that is meant.
constexpr std::pair<const char*, const char*> kPeerVerbs[] = {
    {"trust", "trusted"}, {"limit", "limited"}, {"block", "blocked"}, {"unset", ""}};

/// What the arguments, which are ids, and the options say that is meant.
json::object filters_of(const Call& call) {
    json::object filters;
    for (const auto& [option, key] : kFilters) {
        if (call.has(option)) filters[key] = call.value(option);
    }
    json::array ids;
    for (const std::string& id : call.arguments)
        ids.emplace_back(id);
    if (!ids.empty()) filters["ids"] = std::move(ids);
    if (call.has("all")) filters["all"] = true;
    return filters;
}

int run_queue_verb(const Call& call, const Config& config) {
    json::object filters = filters_of(call);
    const std::string& verb = call.words[1];
    if (filters.empty() && verb != "flush")
        return misused("which mail? Name ids, filters, or --all");
    return queue_operate(config, verb, std::move(filters), call.as_json());
}

int run_peer_verb(const Call& call, const Config& config) {
    const auto* const verb =
        std::ranges::find(kPeerVerbs, call.words[1], [](const auto& each) { return each.first; });
    return peers_set(config, call.arguments[0], verb->second);
}

int run_off(const Call& call, const Config& config) {
    if (call.has("until") && call.value("until").empty())
        return misused("--until is empty: it takes a while, such as 2h, or a time");
    return turn_off(config, call.value("until"), call.as_json());
}

constexpr Command kCommands[] = {
    {"serve", "", false, 0, 0, "", "serve",
     [](const Call&, const Config& config) { return serve(config); }},
    {"setup", "", false, 0, 0, "domain component yes print undo force require-certificates",
     "setup [--domain DOMAINS] [--component NAME] [--require-certificates] [--print|--yes] "
     "[--undo] [--force]"},
    {"check", "", false, 0, Command::kAny, "", "check [DOMAIN...]",
     [](const Call& call, const Config& config) { return check(config, call.arguments); }},
    {"trace", "", false, 1, 1, "json", "trace NAME [--json]",
     [](const Call& call, const Config& config) {
         return trace(config, call.arguments[0], call.as_json());
     }},
    {"queue", "list", false, 0, Command::kAny,
     "domain sender-domain from to older newer state lane all limit json",
     "queue list [ID...] [filters] [--limit N] [--json]",
     [](const Call& call, const Config& config) {
         return queue_list(config, filters_of(call), call.as_json());
     }},
    {"queue", "show", false, 1, 1, "json", "queue show ID [--json]",
     [](const Call& call, const Config& config) {
         return queue_show(config, call.arguments[0], call.as_json());
     }},
    {"queue", "flush", false, 0, Command::kAny,
     "domain sender-domain from to older newer state lane all json",
     "queue flush [ID...] [filters] [--json]", run_queue_verb},
    {"queue", "hold|release|retry|cancel|bounce", false, 0, Command::kAny,
     "domain sender-domain from to older newer state lane all json",
     "queue hold|release|retry|cancel|bounce ID...|filters|--all [--json]", run_queue_verb},
    {"queue", "verify", false, 0, 0, "repair json", "queue verify [--repair] [--json]",
     [](const Call& call, const Config& config) {
         return call.has("repair") ? queue_repair(config, call.as_json())
                                   : queue_verify(config, call.as_json());
     }},
    {"routes", "list", false, 0, 0, "json", "routes list [--json]",
     [](const Call& call, const Config& config) { return routes_list(config, call.as_json()); }},
    {"routes", "forget", false, 1, 1, "", "routes forget DOMAIN",
     [](const Call& call, const Config& config) {
         return routes_forget(config, call.arguments[0]);
     }},
    {"senders", "list", true, 0, 0, "json", "senders [list] [--json]",
     [](const Call& call, const Config& config) { return senders_list(config, call.as_json()); }},
    {"senders", "forget", false, 1, 1, "", "senders forget NAME",
     [](const Call& call, const Config& config) {
         return senders_forget(config, call.arguments[0]);
     }},
    {"peers", "list", true, 0, 0, "json", "peers [list] [--json]",
     [](const Call& call, const Config& config) { return peers_list(config, call.as_json()); }},
    {"peers", "show", false, 1, 1, "json", "peers show DOMAIN [--json]",
     [](const Call& call, const Config& config) {
         return peers_show(config, call.arguments[0], call.as_json());
     }},
    {"peers", "trust|limit|block|unset", false, 1, 1, "", "peers trust|limit|block|unset DOMAIN",
     run_peer_verb},
    {"peers", "forget", false, 1, 1, "", "peers forget DOMAIN",
     [](const Call& call, const Config& config) {
         return peers_forget(config, call.arguments[0]);
     }},
    {"complaint", "", false, 0, 0, "not-spam recipient socket",
     "complaint [--not-spam] [--recipient ADDRESS] [--socket PATH] < MAIL",
     [](const Call& call, const Config& config) {
         const auto& socket = config.complaints.socket;
         return run_complaint(call, socket.empty() ? config.control_socket : socket);
     }},
    {"promise", "list", true, 0, 0, "json", "promise [list] [--json]",
     [](const Call& call, const Config& config) { return promise_list(config, call.as_json()); }},
    {"promise", "show", false, 1, 1, "json", "promise show DOMAIN [--json]",
     [](const Call& call, const Config& config) {
         return promise_show(config, call.arguments[0], call.as_json());
     }},
    {"promise", "forget", false, 1, 1, "", "promise forget DOMAIN",
     [](const Call& call, const Config& config) {
         return promise_forget(config, call.arguments[0]);
     }},
    {"promise", "ours", false, 0, 0, "json", "promise ours [--json]",
     [](const Call& call, const Config& config) { return promise_ours(config, call.as_json()); }},
    {"retire|resume", "", false, 0, 1, "", "retire|resume [COMPONENT]",
     [](const Call& call, const Config& config) {
         const std::string component = call.arguments.empty() ? "" : call.arguments[0];
         return retire(config, component, call.words[0] == "retire");
     }},
    {"off", "", false, 0, 0, "until json", "off [--until 2h|TIME] [--json]", run_off},
    {"on", "", false, 0, 0, "json", "on [--json]",
     [](const Call& call, const Config& config) { return turn_on(config, call.as_json()); }},
    {"backup", "", false, 1, 1, "", "backup FILE",
     [](const Call& call, const Config& config) { return backup(config, call.arguments[0]); }},
    {"restore", "", false, 1, 1, "", "restore FILE",
     [](const Call& call, const Config& config) { return restore(config, call.arguments[0]); }},
    {"version", "", false, 0, 0, "", "version"},
    {"help", "", false, 0, 2, "", "help [COMMAND]"},
};

}  // namespace

std::span<const Command> commands() {
    return kCommands;
}

int run_complaint(const Call& call, const std::filesystem::path& socket) {
    return complain_of_mail(socket, std::cin, call.value("recipient"), !call.has("not-spam"));
}

int run_setup(const Call& call) {
    SetupOptions options;
    options.config = call.value("config");
    const std::string domains = call.value("domain");
    for (const auto domain : base::split(domains, " ,"))
        options.domains.emplace_back(domain);
    options.component = call.value("component");
    options.yes = call.has("yes");
    options.print = call.has("print");
    options.undo = call.has("undo");
    options.force = call.has("force");
    options.require_certificates = call.has("require-certificates");
    if (options.print && (options.yes || options.undo))
        return misused("--print changes nothing, so it goes with neither --yes nor --undo");
    if (options.force && !options.undo) return misused("--force is for setup --undo");
    return options.undo ? undo_setup(options) : setup(options);
}

int misused(const std::string& what) {
    const char* const hint = what.ends_with('?') ? " See" : "; see";
    return complain(base::fail(base::Errc::syntax, what + hint + " packetboat --help"));
}

}  // namespace app
