#include "app/command-line/options.hpp"

#include "base/spelling.hpp"

#include <algorithm>
#include <sstream>
#include <string_view>

#include <boost/program_options.hpp>

namespace app {
namespace {

namespace po = boost::program_options;

constexpr std::string_view kLogLevels[] = {"debug", "info", "warning", "error"};

/// The environment's names of the options: PACKETBOAT_LOG_LEVEL for --log-level. Others are not
/// ours.
std::string option_of(const std::string& variable) {
    if (variable == "PACKETBOAT_CONFIG") return "config";
    if (variable == "PACKETBOAT_LOG_LEVEL") return "log-level";
    if (variable == "PACKETBOAT_STATE_DIRECTORY") return "state-directory";
    if (variable == "PACKETBOAT_CONTROL_SOCKET") return "control-socket";
    return "";
}

po::options_description make_options() {
    const auto text = [](const char* name = "VALUE") {
        return po::value<std::string>()->value_name(name);
    };
    po::options_description options("options");
    auto add = options.add_options();
    add("config", text("FILE")->default_value("/etc/packetboat/packetboat.conf"),
        "the configuration");
    add("log-level", text("LEVEL"), "debug, info, warning or error");
    add("state-directory", text("FOLDER"), "the queue's folder");
    add("control-socket", text("PATH"), "where the daemon is asked");
    add("json", "print JSON");
    add("until", text("WHEN"), "off: for a while, such as 2h, or until a time");
    add("help,h", "print this, or how the command is used");
    add("version,V", "print the version");
    po::options_description filters("filters of queue commands");
    auto filter = filters.add_options();
    filter("domain", text("DOMAIN"), "the recipient's domain; of setup, ours");
    filter("sender-domain", text("DOMAIN"), "the sender's domain");
    filter("to", text("ADDRESS"), "the recipient's address");
    filter("from", text("ADDRESS"), "the sender's address");
    filter("older", text("AGE"), "mail that came longer ago than 90s, 5m, 4h");
    filter("newer", text("AGE"), "mail that came less long ago");
    filter("state", text("STATES"), "queued, leased, deferred or held, or several");
    filter("lane", text("LANE"), "xmpp, local, relay or report");
    filter("limit", text("N"), "queue list: so many rows at most (10000)");
    filter("all", "all mail that waits");
    filter("repair", "queue verify: bring back what can be");
    po::options_description complaints("options of complaint");
    auto complaint = complaints.add_options();
    complaint("not-spam", "takes a complaint back");
    complaint("recipient", text("ADDRESS"), "whose mailbox the mail is in");
    complaint("socket", text("PATH"), "ask here, and read no configuration");
    po::options_description setups("options of setup");
    auto setup = setups.add_options();
    setup("component", text("NAME"), "the component's name, a host to other servers");
    setup("yes", "asks nothing, and does it all");
    setup("print", "shows what would be written, and writes nothing");
    setup("undo", "takes back what setup has written");
    setup("force", "undo: whatever waits in the queue");
    setup("require-certificates", "other servers have to show valid ones, for chat, too");
    return options.add(filters).add(complaints).add(setups);
}

/// `--stat` may be meant to be one of `options`.
base::Error unknown_option(const po::options_description& options, const std::string& said) {
    std::vector<std::string> names;
    for (const auto& option : options.options())
        names.push_back("--" + option->long_name());
    const std::vector<std::string_view> known(names.begin(), names.end());
    return base::fail(base::Errc::syntax,
                      "there is no option \"" + said + "\"" + base::did_you_mean(said, known));
}

base::Result<Call> to_call(const po::variables_map& values) {
    Call call;
    for (const auto& [name, value] : values) {
        if (name == "words") {
            call.words = value.as<CommandWords>();
            continue;
        }
        const auto* const text = boost::any_cast<std::string>(&value.value());
        call.options[name] = text == nullptr ? "" : *text;
    }
    const std::string level = call.value("log-level");
    const bool is_level = std::ranges::find(kLogLevels, level) != std::end(kLogLevels);
    if (call.has("log-level") && !is_level)
        return base::fail(base::Errc::syntax,
                          "\"" + level + "\" is no log level: debug, info, warning or error" +
                              base::did_you_mean(level, kLogLevels));
    return call;
}

}  // namespace

base::Result<Call> read_command_line(int argc, const char* const* argv) {
    const po::options_description visible = make_options();
    po::options_description all;
    all.add(visible).add_options()("words", po::value<CommandWords>());
    po::positional_options_description positional;
    positional.add("words", -1);
    try {
        po::variables_map values;
        po::store(po::command_line_parser(argc, argv).options(all).positional(positional).run(),
                  values);
        po::store(po::parse_environment(visible, option_of), values);
        return to_call(values);
    } catch (const po::unknown_option& error) {
        return unknown_option(visible, error.get_option_name());
    } catch (const po::error& error) {
        return base::fail(base::Errc::syntax, error.what());
    }
}

std::string options_text() {
    std::ostringstream text;
    text << make_options();
    return text.str();
}

std::string options_text(std::span<const std::string_view> names) {
    const po::options_description all = make_options();
    po::options_description chosen("options");
    for (const auto& option : all.options()) {
        if (std::ranges::find(names, option->long_name()) != names.end()) chosen.add(option);
    }
    std::ostringstream text;
    text << chosen;
    return text.str();
}

}  // namespace app
