// packetboat: the command line. Finds the command, reads the configuration, and hands over.
#include "app/command-line/command_table.hpp"
#include "app/command-line/options.hpp"
#include "app/command-line/usage.hpp"
#include "app/config/config.hpp"
#include "app/daemon/serve.hpp"
#include "app/terminal.hpp"
#include "app/version.hpp"

#include <iostream>

namespace {

int print_version() {
    app::terminal::line("packetboat {}", app::kVersion);
    return 0;
}

/// No words: all there is. The manual's pages are compared with it (tests/docs/manual.py).
int print_help(const app::CommandWords& words) {
    const auto usage = app::usage_of(app::commands(), words);
    if (!usage) return app::misused(usage.error().text);
    std::cout << *usage;
    const auto own = app::options_of(app::commands(), words);
    if (!words.empty() && !own.empty()) std::cout << "\n" << app::options_text(own);
    if (words.empty())
        std::cout << "NAME is a queue id, a transfer id, a Message-ID, or an address of a sender "
                     "or recipient.\n\n"
                  << app::options_text();
    return 0;
}

int run(const app::Command& command, const app::Call& call) {
    // Who complains may not be allowed to read the configuration, in which there are secrets.
    if (command.name == "complaint" && call.has("socket"))
        return app::run_complaint(call, call.value("socket"));
    if (command.name == "setup") return app::run_setup(call);
    app::Overrides overrides;
    for (const char* const key : {"log-level", "state-directory", "control-socket"}) {
        if (call.has(key)) overrides["daemon"][key] = call.value(key);
    }
    const bool serves = command.name == "serve";
    const auto secrets = serves ? app::SecretPolicy::needed : app::SecretPolicy::if_readable;
    const auto config = app::load_config(call.value("config"), overrides, secrets);
    if (!config && serves) return app::refuse_to_serve(config.error());
    if (!config) {
        app::terminal::complain(config.error().text);
        return 1;
    }
    return command.run(call, *config);
}

}  // namespace

int main(int argc, char** argv) try {
    auto call = app::read_command_line(argc, argv);
    if (!call) return app::misused(call.error().text);
    if (call->has("version")) return print_version();
    if (call->has("help")) return print_help(call->words);
    const auto found = app::find_command(app::commands(), call->words);
    if (!found) return app::misused(found.error().text);
    const app::Command& command = **found;
    call->arguments = app::arguments_of(command, call->words);
    for (const auto& [option, value] : call->options) {
        const auto fits = app::check_option(app::commands(), command, option);
        if (!fits) return app::misused(fits.error().text);
    }
    if (command.name == "version") return print_version();
    if (command.name == "help") return print_help(call->arguments);
    return run(command, *call);
} catch (const std::exception& error) {
    app::terminal::complain(error.what());
    return 1;
}
