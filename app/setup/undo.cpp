#include "app/config/config.hpp"
#include "app/control_client.hpp"
#include "app/json_text.hpp"
#include "app/setup/record.hpp"
#include "app/setup/services.hpp"
#include "app/setup/setup.hpp"
#include "app/terminal.hpp"

#include <iostream>

#include <fmt/format.h>

namespace app {
namespace {

using Undone = std::vector<Record::Undone>;

/// Peers send by SMTP from now on, and so does what waits here, until nothing does.
base::Result<void> drain(const SetupOptions& options) {
    const auto config = load_config(options.config, {}, Secrets::if_readable);
    if (!config) return config.error();
    std::error_code error;
    if (!std::filesystem::exists(config->store.directory / "queue.db", error) && !error) return {};
    const auto retired =
        ask_daemon(config->control_socket, {{"command", "retire"}, {"component", ""}});
    if (!retired) {
        return base::fail(retired.error().code,
                          retired.error().text +
                              ". So nobody can say whether mail waits: systemctl start packetboat, "
                              "and then this again; or --force, and what waits stays in the queue");
    }
    terminal::line("Packetboat is retired: its peers send by SMTP.");
    std::int64_t waiting = 0;
    const bool is_empty = comes_true([&] {
        const auto status = ask_daemon(config->control_socket, {{"command", "status"}});
        waiting = status ? number_of(*status, "waiting") : waiting;
        return status && waiting == 0;
    });
    if (is_empty) return {};
    return base::fail(base::Errc::busy,
                      fmt::format("{} recipients still wait, and go by SMTP as soon as they can: "
                                  "`packetboat queue list` shows them. Nothing else has been "
                                  "undone: say it again when none waits; or --force, and they stay "
                                  "in the queue",
                                  waiting));
}

/// Takes a part back, and says so.
base::Result<bool> take_back(Record& record, Part part) {
    const auto undone = record.undo(part);
    if (!undone) return undone.error();
    for (const auto& each : *undone) {
        if (each.left.empty()) {
            terminal::line("as it was: {}", each.file.string());
        } else {
            terminal::line("BAD  {}: {}", each.file.string(), each.left);
        }
    }
    return !undone->empty();
}

base::Result<int> run_undo(const SetupOptions& options) {
    Record record(kSetupRecord);
    if (record.is_empty()) {
        terminal::line("There is nothing to undo: setup has written nothing here.");
        return 0;
    }
    Asker asker(std::cin, options.yes);
    const auto agrees = asker.agrees("Take back what setup has written?");
    if (!agrees) return agrees.error();
    if (!*agrees) return 1;
    if (!options.force) {
        const auto drained = drain(options);
        if (!drained) return drained.error();
    }
    const auto postfix = take_back(record, Part::postfix);
    if (!postfix) return postfix.error();
    if (*postfix) {
        const auto reloaded = reload_postfix();
        if (!reloaded) return reloaded.error();
    }
    if (record.has_mark("enabled")) {
        const auto stopped = systemctl({"disable", "--now", "packetboat"});
        if (!stopped) return stopped.error();
        const auto removed = record.remove_mark("enabled");
        if (!removed) return removed.error();
    }
    const auto xmpp = take_back(record, Part::xmpp);
    if (!xmpp) return xmpp.error();
    for (const XmppServer server : {XmppServer::prosody, XmppServer::ejabberd}) {
        if (!*xmpp || !is_active(unit_of(server))) continue;
        const auto restarted = systemctl({"restart", unit_of(server)});
        if (!restarted) return restarted.error();
    }
    const auto own = take_back(record, Part::packetboat);
    if (!own) return own.error();
    const bool is_all = record.is_empty();
    record.close();
    if (is_all) terminal::line("All is as it was before setup.");
    return is_all ? 0 : 1;
}

}  // namespace

int undo_setup(const SetupOptions& options) {
    const auto may = check_caller(options);
    if (!may) return complain(may.error());
    const auto status = run_undo(options);
    return status ? *status : complain(status.error());
}

}  // namespace app
