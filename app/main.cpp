// packetboat: the command line. Finds the subcommand, reads the configuration, and hands over.
#include "app/commands.hpp"
#include "app/serve.hpp"
#include "app/version.hpp"

#include <iostream>

#include <boost/program_options.hpp>
#include <fmt/format.h>

namespace {

namespace po = boost::program_options;

constexpr int kUsage = 2;  // exit status for a command line that can't be understood

const char* const kHelp =
    "usage: packetboat [options] serve\n"
    "       packetboat [options] check [DOMAIN...]\n"
    "       packetboat [options] queue list [--json]\n"
    "       packetboat [options] trace ID [--json]\n"
    "       packetboat version\n"
    "ID is a queue id, a transfer id or a Message-ID.\n\n";

int misused(const std::string& what) {
    fmt::print(stderr, "packetboat: {}; see packetboat --help\n", what);
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

bool is_known(const std::vector<std::string>& words) {
    if (words[0] == "serve") return words.size() == 1;
    if (words[0] == "check") return true;
    if (words[0] == "queue") return words.size() == 2 && words[1] == "list";
    return words[0] == "trace" && words.size() == 2;
}

/// `words` is_known().
int run(const std::vector<std::string>& words, const app::Config& config, bool json) {
    if (words[0] == "serve") return app::serve(config);
    if (words[0] == "check") return app::check(config, {words.begin() + 1, words.end()});
    if (words[0] == "queue") return app::queue_list(config, json);
    return app::trace(config, words[1], json);
}

}  // namespace

int main(int argc, char** argv) try {
    po::options_description visible("options");
    visible.add_options()(
        "config", po::value<std::string>()->default_value("/etc/packetboat/packetboat.conf"),
        "the configuration file")("log-level", po::value<std::string>(),
                                  "debug, info, warning or error")(
        "state-directory", po::value<std::string>(), "the queue's folder")(
        "control-socket", po::value<std::string>(), "where the daemon is asked")(
        "json", "print JSON")("help", "print this");
    po::options_description all;
    all.add(visible).add_options()("words", po::value<std::vector<std::string>>());
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
    const auto words = values["words"].as<std::vector<std::string>>();
    if (words == std::vector<std::string>{"version"}) {
        fmt::print("packetboat {}\n", app::kVersion);
        return 0;
    }
    if (!is_known(words)) return misused("unknown command \"" + words[0] + "\"");

    app::Overrides overrides;
    for (const char* const key : {"log-level", "state-directory", "control-socket"}) {
        if (values.count(key) > 0) overrides["daemon"][key] = values[key].as<std::string>();
    }
    auto config = app::load_config(values["config"].as<std::string>(), overrides);
    if (!config) {
        fmt::print(stderr, "packetboat: {}\n", config.error().text);
        return 1;
    }
    return run(words, *config, values.count("json") > 0);
} catch (const po::error& error) {
    return misused(error.what());
} catch (const std::exception& error) {
    fmt::print(stderr, "packetboat: {}\n", error.what());
    return 1;
}
