#include "app/config/config.hpp"
#include "app/control_client.hpp"
#include "app/json_text.hpp"
#include "app/setup/postfix_edits.hpp"
#include "app/setup/record.hpp"
#include "app/setup/services.hpp"
#include "app/setup/setup.hpp"
#include "app/terminal.hpp"

#include <functional>
#include <iostream>
#include <set>

#include <fmt/format.h>

namespace app {
namespace {

/// Whether any mail is in the queue, held or not.
base::Result<bool> is_empty(const Config& config) {
    const auto page =
        ask_daemon(config.control_socket, {{"command", "queue-list"}, {"limit", "1"}});
    if (!page) return page.error();
    return rows_of(*page, "recipients").empty();
}

/// Peers send by SMTP from now on, and so does what waits here, until nothing does.
base::Result<void> drain(const Config& config, Record& record) {
    std::error_code error;
    if (!std::filesystem::exists(config.store.directory / "queue.db", error) && !error) return {};
    const auto marked = record.mark(kRetired);
    if (!marked) return marked.error();
    const auto retired =
        ask_daemon(config.control_socket, {{"command", "retire"}, {"component", ""}});
    if (!retired) {
        return base::fail(retired.error().code,
                          retired.error().text +
                              " So nobody can say whether mail waits: systemctl start packetboat, "
                              "and then this again; or --force, and what waits stays in the queue");
    }
    terminal::line(
        "Packetboat is retired: peers that are up hear of it now, and send by SMTP. One that is "
        "down keeps its mail for us until it has asked again, or for 72 hours.");
    base::Result<bool> empty = false;
    comes_true([&] {
        empty = is_empty(config);
        return !empty || *empty;
    });
    if (!empty) return empty.error();
    if (*empty) return {};
    return base::fail(
        base::Errc::busy,
        "mail waits in the queue still, and goes by SMTP as soon as it can, unless it is "
        "held: `packetboat queue list` shows it. Nothing else has been undone: say "
        "it again when none waits; or --force, and it stays in the queue");
}

/// Lists of Postfix, in which somebody has changed the lines that were ours.
std::optional<base::Result<std::string>> without_ours(const Change& change,
                                                      const std::string& now) {
    if (change.file == kMainCf)
        return without_ours_in_main(now, change.before.value_or(""), change.after);
    if (change.file == kMasterCf) return without_ours_in_master(now);
    return std::nullopt;
}

/// Takes parts back, one after the other, and says so. What could not be is told, and ends it.
class Undoing {
  public:
    Undoing(Record& record, bool force) : record_(record), force_(force) {}

    /// And has its server take it. What was begun is done another time, if this one fails.
    base::Result<void> take_back(Part part, const char* mark,
                                 const std::function<base::Result<void>()>& take) {
        if (record_.has(part)) {
            const auto marked = record_.mark(mark);
            if (!marked) return marked.error();
        }
        const auto taken = take_back(part);
        if (!taken) return taken.error();
        if (!record_.has_mark(mark)) return {};
        const auto done = take();
        if (!done) return done.error();
        return record_.remove_mark(mark);
    }

    base::Result<void> take_back(Part part) {
        const auto undone = record_.undo(part, 0, without_ours, force_);
        if (!undone) return undone.error();
        for (const auto& each : *undone)
            tell(each);
        if (is_stuck_) {
            return base::fail(base::Errc::conflict,
                              "not all could be undone: see above, and then say it again");
        }
        return {};
    }

  private:
    void tell(const Record::Undone& each) {
        if (!each.left.empty()) {
            terminal::line("BAD  {}: {}", each.file.string(), each.left);
        } else if (told_.insert(each.file).second) {
            terminal::line("as it was: {}", each.file.string());
        }
        is_stuck_ = is_stuck_ || (each.is_stuck && !force_);
    }

    Record& record_;
    bool force_;
    bool is_stuck_ = false;
    std::set<std::filesystem::path> told_;
};

base::Result<void> restart_what_runs() {
    for (const XmppServer server : {XmppServer::prosody, XmppServer::ejabberd}) {
        if (!is_active(unit_of(server))) continue;
        const auto restarted = systemctl({"restart", unit_of(server)});
        if (!restarted) return restarted.error();
    }
    return {};
}

/// Ours is stopped, if setup has started it.
base::Result<void> stop(Record& record) {
    if (!record.has_mark(kEnabled)) return {};
    const auto stopped = systemctl({"disable", "--now", "packetboat"});
    if (!stopped) return stopped.error();
    return record.remove_mark(kEnabled);
}

base::Result<int> run_undo(const SetupOptions& options) {
    Record record(kSetupRecord);
    if (record.is_empty()) {
        terminal::line("There is nothing to undo: setup has written nothing here.");
        return 0;
    }
    const bool drains = !options.force && !record.has_mark(kDrained);
    const auto config = load_config(options.config, {}, SecretPolicy::if_readable);
    if (drains && !config) return config.error();
    Asker asker(std::cin, options.yes);
    const auto agrees = asker.agrees("Take back what setup has written?");
    if (!agrees) return agrees.error();
    if (!*agrees) return 1;
    if (drains) {
        const auto drained = drain(*config, record);
        if (!drained) return drained.error();
        const auto marked = record.mark(kDrained);
        if (!marked) return marked.error();
    }
    Undoing undoing(record, options.force);
    const auto way_out = undoing.take_back(Part::way_out, kReload, reload_postfix);
    if (!way_out) return way_out.error();
    const auto stopped = stop(record);
    if (!stopped) return stopped.error();
    const auto way_in = undoing.take_back(Part::way_in, kReload, reload_postfix);
    if (!way_in) return way_in.error();
    const auto xmpp = undoing.take_back(Part::xmpp, kRestart, restart_what_runs);
    if (!xmpp) return xmpp.error();
    const auto own = undoing.take_back(Part::packetboat);
    if (!own) return own.error();
    for (const char* const mark : {kRetired, kDrained}) {
        const auto removed = record.remove_mark(mark);
        if (!removed) return removed.error();
    }
    const bool is_all = record.is_empty();
    record.close();
    if (is_all) terminal::line("All is as it was before setup.");
    return is_all ? 0 : 1;
}

}  // namespace

int undo_setup(const SetupOptions& options) {
    const auto may = check_caller();
    if (!may) return complain(may.error());
    const auto status = run_undo(options);
    return status ? *status : complain(status.error());
}

}  // namespace app
