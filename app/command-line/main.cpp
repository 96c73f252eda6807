// packetboat: the command line. Finds the subcommand, reads the configuration, and hands over.
#include "app/check/check.hpp"
#include "app/command-line/commands.hpp"
#include "app/command-line/complaint_command.hpp"
#include "app/command-line/off_commands.hpp"
#include "app/command-line/peer_commands.hpp"
#include "app/command-line/promise_commands.hpp"
#include "app/command-line/queue_commands.hpp"
#include "app/command-line/store_commands.hpp"
#include "app/daemon/serve.hpp"
#include "app/terminal.hpp"
#include "app/version.hpp"

#include <algorithm>
#include <iostream>

#include <boost/json.hpp>
#include <boost/program_options.hpp>
#include <fmt/format.h>

namespace {

namespace po = boost::program_options;
namespace json = boost::json;
using Words = std::vector<std::string>;

constexpr int kUsage = 2;  // exit status for a command line that can't be understood

const char* const kHelp =
    "usage: packetboat [options] serve\n"
    "       packetboat [options] check [DOMAIN...]\n"
    "       packetboat [options] trace NAME [--json]\n"
    "       packetboat [options] queue list [ID...] [filters] [--limit N] [--json]\n"
    "       packetboat [options] queue show ID [--json]\n"
    "       packetboat [options] queue flush [ID...] [filters]\n"
    "       packetboat [options] queue hold|release|retry|cancel|bounce ID...|filters|--all\n"
    "       packetboat [options] queue verify [--repair] [--json]\n"
    "       packetboat [options] routes list [--json]\n"
    "       packetboat [options] routes forget DOMAIN\n"
    "       packetboat [options] senders [--json]\n"
    "       packetboat [options] senders forget NAME\n"
    "       packetboat [options] peers [list] [--json]\n"
    "       packetboat [options] peers show DOMAIN [--json]\n"
    "       packetboat [options] peers trust|limit|block|unset|forget DOMAIN\n"
    "       packetboat [options] complaint [--not-spam] [--recipient ADDRESS] [--socket PATH] < "
    "MAIL\n"
    "       packetboat [options] promise [list] [--json]\n"
    "       packetboat [options] promise show DOMAIN [--json]\n"
    "       packetboat [options] promise forget DOMAIN\n"
    "       packetboat [options] promise ours [--json]\n"
    "       packetboat [options] retire|resume [COMPONENT]\n"
    "       packetboat [options] off [--until 2h|TIME] [--json]\n"
    "       packetboat [options] on [--json]\n"
    "       packetboat [options] backup FILE\n"
    "       packetboat [options] restore FILE\n"
    "       packetboat version\n"
    "NAME is a queue id, a transfer id, a Message-ID, or an address of a sender or recipient.\n\n";

int misused(const std::string& what) {
    app::terminal::complain(what + "; see packetboat --help");
    return kUsage;
}

/// The environment's names of the options: PACKETBOAT_LOG_LEVEL for --log-level. Others are not
/// ours.
std::string option_of(const std::string& variable) {
    if (variable == "PACKETBOAT_CONFIG") return "config";
    if (variable == "PACKETBOAT_LOG_LEVEL") return "log-level";
    if (variable == "PACKETBOAT_STATE_DIRECTORY") return "state-directory";
    if (variable == "PACKETBOAT_CONTROL_SOCKET") return "control-socket";
    return "";
}

/// The filters' options, and what they are called on the control socket.
constexpr std::pair<const char*, const char*> kFilters[] = {
    {"domain", "domain"}, {"sender-domain", "sender_domain"},
    {"from", "from"},     {"to", "to"},
    {"older", "older"},   {"newer", "newer"},
    {"state", "state"},   {"lane", "lane"},
    {"limit", "limit"}};

const Words kVerbs{"flush", "hold", "release", "retry", "cancel", "bounce"};

/// What an administrator may say of a peer, and the class that is meant.
constexpr std::pair<const char*, const char*> kPeerVerbs[] = {
    {"trust", "trusted"}, {"limit", "limited"}, {"block", "blocked"}, {"unset", ""}};

bool contains(const Words& words, const std::string& word) {
    return std::ranges::find(words, word) != words.end();
}

bool is_known_queue_command(const Words& words) {
    if (words.size() < 2) return false;
    if (words[1] == "list" || contains(kVerbs, words[1])) return true;
    if (words[1] == "show") return words.size() == 3;
    return words[1] == "verify" && words.size() == 2;
}

bool is_known_peer_command(const Words& words) {
    if (words.size() < 2) return true;
    if (words[1] == "list") return words.size() == 2;
    const bool is_verb =
        std::ranges::any_of(kPeerVerbs, [&](const auto& verb) { return words[1] == verb.first; });
    return words.size() == 3 && (words[1] == "show" || words[1] == "forget" || is_verb);
}

bool is_known_promise_command(const Words& words) {
    if (words.size() < 2) return true;
    if (words[1] == "list" || words[1] == "ours") return words.size() == 2;
    return words.size() == 3 && (words[1] == "show" || words[1] == "forget");
}

bool is_known(const Words& words) {
    if (words[0] == "serve" || words[0] == "complaint") return words.size() == 1;
    if (words[0] == "check") return true;
    if (words[0] == "queue") return is_known_queue_command(words);
    if (words[0] == "peers") return is_known_peer_command(words);
    if (words[0] == "promise") return is_known_promise_command(words);
    if (words[0] == "routes" && words.size() >= 2)
        return words[1] == "list" ? words.size() == 2 : words[1] == "forget" && words.size() == 3;
    if (words[0] == "senders")
        return words.size() == 1 || (words.size() == 3 && words[1] == "forget");
    if (words[0] == "retire" || words[0] == "resume") return words.size() <= 2;
    if (words[0] == "off" || words[0] == "on") return words.size() == 1;
    const bool takes_one = words[0] == "trace" || words[0] == "backup" || words[0] == "restore";
    return takes_one && words.size() == 2;
}

/// What the words behind the verb, and the options, say that is meant.
json::object filters_of(const Words& words, const po::variables_map& values) {
    json::object filters;
    for (const auto& [option, key] : kFilters) {
        if (values.count(option) > 0) filters[key] = values[option].as<std::string>();
    }
    json::array ids;
    for (std::size_t i = 2; i < words.size(); ++i)
        ids.emplace_back(words[i]);
    if (!ids.empty()) filters["ids"] = std::move(ids);
    if (values.count("all") > 0) filters["all"] = true;
    return filters;
}

int run_queue(const Words& words, const app::Config& config, const po::variables_map& values) {
    const bool as_json = values.count("json") > 0;
    if (words[1] == "show") return app::queue_show(config, words[2], as_json);
    const bool repair = values.count("repair") > 0;
    if (repair && words[1] != "verify") return misused("--repair is for queue verify");
    if (words[1] == "verify")
        return repair ? app::queue_repair(config, as_json) : app::queue_verify(config, as_json);
    json::object filters = filters_of(words, values);
    if (words[1] == "list") return app::queue_list(config, std::move(filters), as_json);
    if (values.count("limit") > 0) return misused("--limit is for queue list");
    if (filters.empty() && words[1] != "flush")
        return misused("which mail? Name ids, filters, or --all");
    return app::queue_operate(config, words[1], std::move(filters), as_json);
}

int run_peers(const Words& words, const app::Config& config, bool as_json) {
    if (words.size() < 3) return app::peers_list(config, as_json);
    if (words[1] == "show") return app::peers_show(config, words[2], as_json);
    for (const auto& [verb, peer_class] : kPeerVerbs) {
        if (words[1] == verb) return app::peers_set(config, words[2], peer_class);
    }
    return app::peers_forget(config, words[2]);
}

int run_complaint(const std::filesystem::path& socket, const po::variables_map& values) {
    const std::string recipient =
        values.count("recipient") > 0 ? values["recipient"].as<std::string>() : std::string();
    return app::complain_of_mail(socket, std::cin, recipient, values.count("not-spam") == 0);
}

int run_promise(const Words& words, const app::Config& config, bool as_json) {
    if (words.size() == 2 && words[1] == "ours") return app::promise_ours(config, as_json);
    if (words.size() < 3) return app::promise_list(config, as_json);
    if (words[1] == "show") return app::promise_show(config, words[2], as_json);
    return app::promise_forget(config, words[2]);
}

/// `words` is_known().
int run(const Words& words, const app::Config& config, const po::variables_map& values) {
    if (values.count("until") > 0 &&
        (words[0] != "off" || values["until"].as<std::string>().empty()))
        return misused("--until is for off, with 2h or a time");
    if (words[0] == "serve") return app::serve(config);
    if (words[0] == "complaint") {
        const auto& socket = config.complaints.socket;
        return run_complaint(socket.empty() ? config.control_socket : socket, values);
    }
    if (words[0] == "check") return app::check(config, {words.begin() + 1, words.end()});
    if (words[0] == "queue") return run_queue(words, config, values);
    if (words[0] == "peers") return run_peers(words, config, values.count("json") > 0);
    if (words[0] == "promise") return run_promise(words, config, values.count("json") > 0);
    if (words[0] == "routes")
        return words[1] == "list" ? app::routes_list(config, values.count("json") > 0)
                                  : app::routes_forget(config, words[2]);
    if (words[0] == "senders")
        return words.size() == 1 ? app::senders_list(config, values.count("json") > 0)
                                 : app::senders_forget(config, words[2]);
    if (words[0] == "retire" || words[0] == "resume")
        return app::retire(config, words.size() > 1 ? words[1] : "", words[0] == "retire");
    if (words[0] == "off")
        return app::turn_off(config,
                             values.count("until") > 0 ? values["until"].as<std::string>() : "",
                             values.count("json") > 0);
    if (words[0] == "on") return app::turn_on(config, values.count("json") > 0);
    if (words[0] == "backup") return app::backup(config, words[1]);
    if (words[0] == "restore") return app::restore(config, words[1]);
    return app::trace(config, words[1], values.count("json") > 0);
}

po::options_description make_options() {
    const auto text = [] { return po::value<std::string>(); };
    po::options_description options("options");
    options.add_options()("config", text()->default_value("/etc/packetboat/packetboat.conf"),
                          "the configuration file")(
        "log-level", text(), "debug, info, warning or error")("state-directory", text(),
                                                              "the queue's folder")(
        "control-socket", text(), "where the daemon is asked")("json", "print JSON")("help",
                                                                                     "print this");
    po::options_description filters("filters of queue commands");
    filters.add_options()("domain", text(), "the recipient's domain")(
        "sender-domain", text(), "the sender's domain")("to", text(), "the recipient's address")(
        "from", text(), "the sender's address")("older", text(), "waits longer than 90s, 5m, 4h")(
        "newer", text(), "waits for less")("state", text(), "queued,leased,deferred,held")(
        "lane", text(), "xmpp, local, relay or report")(
        "limit", text(), "rows of queue list (10000)")("all", "all mail that waits")(
        "repair", "queue verify: bring back what can be");
    options.add_options()("until", text(), "off: for 2h, or until 2026-12-01T08:00:00Z");
    po::options_description complaints("options of complaint");
    complaints.add_options()("not-spam", "takes a complaint back")("recipient", text(),
                                                                   "whose mailbox the mail is in")(
        "socket", text(), "[complaints] socket; without it, the configuration says");
    return options.add(filters).add(complaints);
}

}  // namespace

int main(int argc, char** argv) try {
    const po::options_description visible = make_options();
    po::options_description all;
    all.add(visible).add_options()("words", po::value<Words>());
    po::positional_options_description positional;
    positional.add("words", -1);

    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(all).positional(positional).run(),
              values);
    po::store(po::parse_environment(visible, option_of), values);
    if (values.count("help") > 0) {
        std::cout << kHelp << visible;
        return 0;
    }
    if (values.count("words") == 0) return misused("which command?");
    const Words words = values["words"].as<Words>();
    if (words == Words{"version"}) {
        app::terminal::line("packetboat {}", app::kVersion);
        return 0;
    }
    if (!is_known(words))
        return misused("unknown command \"" + fmt::format("{}", fmt::join(words, " ")) + "\"");

    // Who complains may not be allowed to read the configuration, in which there are secrets.
    if (words[0] == "complaint" && values.count("socket") > 0)
        return run_complaint(values["socket"].as<std::string>(), values);

    app::Overrides overrides;
    for (const char* const key : {"log-level", "state-directory", "control-socket"}) {
        if (values.count(key) > 0) overrides["daemon"][key] = values[key].as<std::string>();
    }
    auto config = app::load_config(values["config"].as<std::string>(), overrides);
    if (!config) {
        app::terminal::complain(config.error().text);
        return 1;
    }
    return run(words, *config, values);
} catch (const po::error& error) {
    return misused(error.what());
} catch (const std::exception& error) {
    app::terminal::complain(error.what());
    return 1;
}
