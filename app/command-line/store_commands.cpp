#include "app/command-line/store_commands.hpp"

#include "app/control_client.hpp"
#include "app/daemon/control_answers.hpp"
#include "app/json_text.hpp"
#include "app/terminal.hpp"
#include "base/clock.hpp"
#include "queue/disk/directory_lock.hpp"
#include "queue/sqlite/admin/backup.hpp"
#include "queue/sqlite/admin/offline.hpp"
#include "queue/sqlite/recovery/repair.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

namespace app {
namespace {

namespace json = boost::json;

constexpr const char* kRepair = "packetboat queue verify --repair brings back what can be";

bool daemon_runs(const Config& config) {
    return ask_daemon(config.control_socket, {{"command", "status"}}).has_value();
}

base::Result<json::array> find_faults(const Config& config) {
    if (daemon_runs(config)) {
        const auto answer = ask_daemon(config.control_socket, {{"command", "verify"}});
        if (!answer) return answer.error();
        return rows_of(*answer, "findings");
    }
    const auto found = queue::verify_offline(config.store.directory);
    if (!found) return found.error();
    return to_json(*found);
}

json::object to_json(const queue::RepairReport& report) {
    json::object tables;
    for (const auto& table : report.tables)
        tables[table.name] = {{"copied", table.copied}, {"lost", table.lost}};
    json::array lines;
    for (const auto& line : report.lines)
        lines.emplace_back(line);
    return {{"kept", report.kept.string()},
            {"damaged_pages", report.damaged_pages},
            {"tables", std::move(tables)},
            {"lost_messages", report.lost_messages},
            {"lost_recipients", report.lost_recipients},
            {"lost_verdicts", report.lost_verdicts},
            {"quarantined", report.quarantined},
            {"lines", std::move(lines)},
            {"more_lines", report.more}};
}

void print_repair(const queue::RepairReport& report) {
    for (const auto& line : report.lines)
        terminal::line("{}", line);
    if (report.more > 0) terminal::line("and {} lines more", report.more);
    for (const auto& table : report.tables) {
        if (table.copied + table.lost > 0)
            terminal::line("{:<12} {:>9} rows brought back, {} unreadable", table.name,
                           table.copied, table.lost);
    }
    terminal::line(
        "{} damaged pages; {} messages and {} recipients lost, {} in quarantine, {} "
        "verdicts lost",
        report.damaged_pages, report.lost_messages, report.lost_recipients, report.quarantined,
        report.lost_verdicts);
    terminal::line("the database as it was: {}", report.kept.string());
}

int print_backup(const std::string& file, std::int64_t messages, std::int64_t missing,
                 std::uintmax_t bytes) {
    terminal::line("{}: {} messages, {} bytes", file, messages, bytes);
    if (missing == 0) return 0;
    terminal::complain(
        fmt::format("the contents of {} messages can't be read, and are not in it", missing));
    return 1;
}

}  // namespace

int queue_verify(const Config& config, bool as_json) {
    const auto findings = find_faults(config);
    if (!findings) {
        if (findings.error().code == base::Errc::damaged) terminal::complain(kRepair);
        return complain(findings.error());
    }
    if (as_json) {
        terminal::put_json(*findings);
    } else {
        for (const auto& each : *findings) {
            const std::string id = text_of(each.as_object(), "id");
            terminal::line("{}{}{}", id, id.empty() ? "" : ": ", text_of(each.as_object(), "text"));
        }
        terminal::line("{}", findings->empty() ? "the queue is sound"
                                               : fmt::format("{} findings", findings->size()));
    }
    if (findings->empty()) return 0;
    const bool pages = std::ranges::any_of(*findings, [](const json::value& each) {
        return text_of(each.as_object(), "text").starts_with("the database");
    });
    if (pages) terminal::complain(kRepair);
    return 1;
}

int queue_repair(const Config& config, bool as_json) {
    const auto& directory = config.store.directory;
    if (!std::filesystem::exists(directory / "queue.db"))
        return complain(
            base::fail(base::Errc::not_found, directory.string() + ": there is no queue"));
    const auto lock = queue::DirectoryLock::take(directory);
    if (!lock) return complain(lock.error());
    const base::SystemClock clock;
    const auto repaired = queue::repair(directory, clock.now());
    if (!repaired) return complain(repaired.error());
    if (as_json)
        terminal::put_json(*repaired ? json::value(to_json(**repaired)) : json::value(nullptr));
    else if (*repaired)
        print_repair(**repaired);
    else
        terminal::line("the queue is sound");
    return *repaired ? 1 : 0;
}

int backup(const Config& config, const std::string& file) {
    const std::string path = std::filesystem::absolute(file).string();
    if (daemon_runs(config)) {
        const auto answer =
            ask_daemon(config.control_socket, {{"command", "backup"}, {"file", path}});
        if (!answer) return complain(answer.error());
        return print_backup(path, number_of(*answer, "messages"), number_of(*answer, "missing"),
                            static_cast<std::uintmax_t>(number_of(*answer, "bytes")));
    }
    const auto facts = queue::back_up_offline(config.store.directory, path);
    if (!facts) return complain(facts.error());
    return print_backup(path, facts->messages, facts->missing, facts->bytes);
}

int restore(const Config& config, const std::string& file) {
    const auto facts = queue::restore_backup(file, config.store.directory);
    if (!facts) return complain(facts.error());
    terminal::line("{}: {} messages wait; start the daemon", config.store.directory.string(),
                   facts->messages);
    return 0;
}

}  // namespace app
