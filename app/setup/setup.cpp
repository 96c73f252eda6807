#include "app/setup/setup.hpp"

#include "app/answer_of.hpp"
#include "app/check/check.hpp"
#include "app/control_client.hpp"
#include "app/json_text.hpp"
#include "app/setup/plan.hpp"
#include "app/setup/private_folder.hpp"
#include "app/setup/prosody_edits.hpp"
#include "app/setup/record.hpp"
#include "app/setup/services.hpp"
#include "app/terminal.hpp"
#include "component/discovery/resolver.hpp"

#include <algorithm>
#include <iostream>
#include <regex>

#include <fmt/format.h>
#include <unistd.h>

namespace app {
namespace {

namespace json = boost::json;

/// Diffs are pasted where others read them: what a key with such a name has is not shown.
std::string without_secrets(const std::string& line) {
    static const std::regex kSecret(R"(([\w-]*(secret|password)[\w-]*\s*[=:]\s*)\S.*)",
                                    std::regex::icase);
    return std::regex_replace(line, kSecret, "$1(not shown)");
}

/// A text of several lines, each of which is safe to show.
void print_lines(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string line = without_secrets(text.substr(at, end - at));
        std::ranges::replace(line, '\t', ' ');
        terminal::line("{}", line);
        at = end + 1;
    }
}

/// Where others find the XMPP server, if the DNS says so by now.
std::string server_name(const Config& config, const Site& site) {
    const auto domain = mail::Domain::parse(site.domains.front());
    if (!domain) return site.hostname;
    const auto servers = answer_of<std::vector<component::ServerAddress>>(
        [&] { return component::find_servers(config.discovery.resolver, *domain); });
    const bool is_known = servers && !servers->empty() && servers->front().host != domain->ascii();
    return is_known ? servers->front().host : site.hostname;
}

/// What can't be written here.
void print_advice(const Site& site, const std::string& server) {
    std::vector<std::string> names = site.domains;
    names.push_back(site.component);
    terminal::line("");
    terminal::line("These records have to be in the DNS; `packetboat check` looks for them:");
    for (const auto& name : names) {
        const auto domain = mail::Domain::parse(name);
        terminal::line("  _xmpp-server._tcp.{}. SRV 0 5 5269 {}.", domain ? domain->ascii() : name,
                       server);
    }
    terminal::line("{}'s certificates have to name: {}", title_of(site.xmpp), joined(names, ", "));
    if (site.assurance != "pkix") {
        terminal::line(
            "{} takes links of servers that show no valid certificate, so others can be "
            "believed no more than the DNS. --require-certificates ends that, for chat, "
            "too.",
            title_of(site.xmpp));
    }
}

struct Choice {
    std::vector<Change> agreed;
    bool is_whole = true;  ///< nothing was declined
};

base::Result<Choice> choose(const Survey& found, const SetupOptions& options, Asker& asker) {
    Choice choice;
    FileTexts files;
    for (const Step& step : steps_for(found, options)) {
        auto changes = step.changes(files);
        if (!changes) return changes.error();
        if (changes->empty()) continue;
        terminal::line("");
        terminal::line("{}", step.reason);
        for (const Change& change : *changes) {
            const auto diff = diff_of(change);
            if (!diff) return diff.error();
            print_lines(*diff);
        }
        if (!options.print) {
            const auto agrees = asker.agrees("Write it?");
            if (!agrees) return agrees.error();
            choice.is_whole = choice.is_whole && *agrees;
            // All else rests on it.
            if (!*agrees && step.part == Part::packetboat) return Choice{{}, false};
            if (!*agrees) continue;
        }
        for (Change& change : *changes) {
            change.part = step.part;
            change.reason = step.reason;
            files.set(change.file, change.after);
            choice.agreed.push_back(std::move(change));
        }
    }
    return choice;
}

/// Writes the changes, in their order; what was begun goes on until it is done.
class Writer {
  public:
    Writer(const Survey& found, const SetupOptions& options, const std::vector<Change>& changes)
        : site_(found.site), options_(options), changes_(changes), record_(kSetupRecord) {}

    base::Result<void> run() {
        const bool is_new = record_.is_empty() || record_.has_mark(kRetired);
        const auto own = write(Part::packetboat);
        if (!own) return own.error();
        // Before we run: what a peer brings then has to find its way in.
        const auto way_in = write_and(Part::way_in, reload_postfix);
        if (!way_in) return way_in.error();
        const auto xmpp = write_and(Part::xmpp, [this] { return restart_xmpp(site_); });
        if (!xmpp) return xmpp.error();
        const auto started = start();
        if (!started) return started.error();
        if (is_new) {
            const auto resumed = resume();
            if (!resumed) return resumed.error();
        }
        return write_and(Part::way_out, reload_postfix);
    }

  private:
    bool changes_any(Part part) const {
        return std::ranges::any_of(changes_,
                                   [part](const Change& each) { return each.part == part; });
    }

    base::Result<void> write(Part part) {
        for (const Change& change : changes_) {
            if (change.part != part) continue;
            const auto written = record_.apply(change);
            if (!written) return written.error();
            terminal::line("written: {}", change.file.string());
        }
        return {};
    }

    /// Writes a part, and has its server take it. If it does not, it gets back what it had.
    base::Result<void> write_and(Part part, const std::function<base::Result<void>()>& take) {
        if (!changes_any(part)) return {};
        const int first = record_.next();
        auto done = write(part);
        if (done) done = take();
        if (done) return {};
        const auto undone = record_.undo(part, first);
        if (!undone) {
            return base::fail(done.error().code, done.error().text +
                                                     ". What was written for it could not be taken "
                                                     "back: " +
                                                     undone.error().text);
        }
        for (const auto& each : *undone) {
            terminal::line("{} {}{}", each.left.empty() ? "as it was:" : "BAD ", each.file.string(),
                           each.left.empty() ? "" : ": " + each.left);
        }
        const auto again = take();
        return base::fail(
            done.error().code,
            fmt::format("{}. What was written for it has been taken back{}", done.error().text,
                        again ? "" : ", and that is not taken either: " + again.error().text));
    }

    base::Result<void> start() {
        if (!is_enabled("packetboat")) {
            const auto marked = record_.mark(kEnabled);
            if (!marked) return marked.error();
            const auto enabled = systemctl({"enable", "packetboat"});
            if (!enabled) return enabled.error();
        }
        const bool is_new = changes_any(Part::packetboat) || !is_active("packetboat");
        if (is_new) {
            const auto started = systemctl({"restart", "packetboat"});
            if (!started) return started.error();
        }
        auto config = load_config(options_.config, {}, SecretPolicy::if_readable);
        if (!config) return config.error();
        const bool runs = comes_true([&] {
            return ask_daemon(config->control_socket, {{"command", "status"}}).has_value();
        });
        if (!runs) {
            return base::fail(base::Errc::timeout,
                              "packetboat does not run; journalctl -u packetboat says why. Postfix "
                              "sends nothing to it yet");
        }
        // Who is not connected after all is told by the check at the end.
        comes_true([&] { return is_connected(*config); });
        const auto& table = config->route_table;
        const bool has_table = !table || comes_true([&] {
            std::error_code error;
            return std::filesystem::exists(table->file, error);
        });
        if (has_table) return {};
        return base::fail(base::Errc::timeout,
                          "packetboat makes no " + table->file.string() +
                              ", which Postfix needs; Postfix sends nothing to it yet");
    }

    static bool is_connected(const Config& config) {
        const auto status = ask_daemon(config.control_socket, {{"command", "status"}});
        if (!status) return false;
        const json::array& components = rows_of(*status, "components");
        return std::ranges::all_of(components, [](const json::value& each) {
            const auto* const established = each.as_object().if_contains("established");
            return established != nullptr && established->is_bool() && established->get_bool();
        });
    }

    /// An earlier undo has retired it.
    base::Result<void> resume() {
        const auto config = load_config(options_.config, {}, SecretPolicy::if_readable);
        if (!config) return config.error();
        const auto answer = ask_daemon(config->control_socket,
                                       {{"command", "resume"}, {"component", site_.component}});
        if (!answer) return answer.error();
        for (const char* const mark : {kRetired, kDrained}) {
            const auto removed = record_.remove_mark(mark);
            if (!removed) return removed.error();
        }
        return {};
    }

    const Site& site_;
    const SetupOptions& options_;
    const std::vector<Change>& changes_;
    Record record_;
};

/// Whether the program would take what its own configuration is to become.
base::Result<void> try_configuration(const SetupOptions& options,
                                     const std::vector<Change>& changes) {
    for (const Change& change : changes) {
        if (change.part != Part::packetboat) continue;
        const PrivateFolder folder;
        const auto file = folder.path() / options.config.filename();
        const auto written = write_file(file, change.after, FileOwner{0600, 0, 0});
        if (!written) return written.error();
        const auto config = load_config(file, {}, SecretPolicy::if_readable);
        if (config) continue;
        std::string why = config.error().text;
        if (why.starts_with(file.string()))
            why.replace(0, file.string().size(), change.file.string());
        return base::fail(base::Errc::conflict,
                          "nothing has been written, as the service would not start: " + why);
    }
    return {};
}

void print_where_ours_lost(const Site& site) {
    if (site.xmpp != XmppServer::prosody) return;
    const auto prosody = read_prosody();
    if (!prosody) return;
    for (const auto& fault : prosody_faults(*prosody, site))
        terminal::line("BAD  {}", fault);
}

base::Result<int> attach(const SetupOptions& options) {
    Asker asker(std::cin, options.yes || options.print);
    const auto found = survey(options, asker);
    if (!found) return found.error();
    const Site& site = found->site;
    terminal::line("{} and Postfix are here. Component {}, for mail of {}.", title_of(site.xmpp),
                   site.component, joined(site.domains, ", "));
    const auto choice = choose(*found, options, asker);
    if (!choice) return choice.error();
    if (choice->agreed.empty() && !choice->is_whole) {
        terminal::line("Nothing has been written.");
        return 1;
    }
    const auto tried = try_configuration(options, choice->agreed);
    if (!tried) return tried.error();
    if (choice->agreed.empty()) terminal::line("There is nothing to change.");
    Config config;
    print_advice(site, server_name(config, site));
    if (options.print) return 0;
    terminal::line("");
    if (!has_systemd()) {
        return base::fail(base::Errc::unsupported,
                          "systemd does not run this machine, so nothing can be restarted, and "
                          "nothing has been written; --print shows what to write");
    }
    const auto written = Writer(*found, options, choice->agreed).run();
    if (!written) return written.error();
    print_where_ours_lost(site);
    auto checked = load_config(options.config, {}, SecretPolicy::if_readable);
    if (!checked) return checked.error();
    terminal::line("");
    return check(*checked, {});
}

}  // namespace

base::Result<void> check_caller() {
    if (::geteuid() == 0) return {};
    return base::fail(base::Errc::refused,
                      "setup is for root: it reads and writes the servers' configuration");
}

int setup(const SetupOptions& options) {
    const auto may = check_caller();
    if (!may) return complain(may.error());
    const auto status = attach(options);
    return status ? *status : complain(status.error());
}

}  // namespace app
