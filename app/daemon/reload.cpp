#include "app/daemon/reload.hpp"

#include "app/config/exposed_secrets.hpp"
#include "app/daemon/daemon.hpp"
#include "app/log.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace app {
namespace {

/// What Daemon::adopt() takes over: kind of section, and key.
constexpr std::pair<std::string_view, std::string_view> kReloaded[] = {
    {"daemon", "log-level"},
    {"queue", "policy"},
    {"queue", "fallback-after"},
    {"domain", "policy"},
    {"domain", "fallback-after"},
    {"component", "secret"},
    {"component", "secret-file"},
    {"intake", "networks"},
    {"intake", "trusted-networks"},
    {"intake", "client-connections"},
    {"intake", "client-rate"},
    {"intake", "tls-certificate"},
    {"intake", "tls-key"},
    {"senders", "messages-per-hour"},
    {"sender", "messages-per-hour"},
    {"senders", "recipients-per-hour"},
    {"sender", "recipients-per-hour"},
    {"senders", "unknown-recipients-per-hour"},
    {"sender", "unknown-recipients-per-hour"},
    {"senders", "burst"},
    {"sender", "burst"},
    {"senders", "beyond"},
    {"sender", "beyond"},
    {"senders", "exempt"},
    {"complaints", "batch"},
    {"complaints", "abuse-address"},
    {"lists", "allow"},
    {"lists", "limit"},
    {"lists", "block"},
    {"dns-list", "meaning"},
    {"dns-list", "answers"},
    {"dns-list", "test-entry"},
    {"class", "messages-per-hour"},
    {"class", "recipients-per-hour"},
    {"class", "bytes-per-hour"},
    {"class", "all-messages-per-hour"},
    {"class", "all-recipients-per-hour"},
    {"class", "all-bytes-per-hour"},
    {"class", "burst"},
    {"class", "max-size"},
    {"class", "assurance"},
    {"class", "refuse"},
    {"promise", "domains"},
    {"promise", "days"},
};

/// `name`: `[kind name] key`, as in Config::said.
bool is_reloaded(std::string_view name) {
    const auto end = name.rfind("] ");
    const std::string_view kind = name.substr(1, name.find_first_of(" ]") - 1);
    const std::string_view key = name.substr(end + 2);
    return std::ranges::find(kReloaded, std::pair(kind, key)) != std::end(kReloaded);
}

const std::string* said(const Config& config, const std::string& name) {
    const auto found = config.said.find(name);
    return found == config.said.end() ? nullptr : &found->second;
}

}  // namespace

ConfigChanges compare(const Config& in_force, const Config& read) {
    std::set<std::string> names;
    for (const Config* const config : {&in_force, &read}) {
        for (const auto& [name, text] : config->said)
            names.insert(name);
    }
    ConfigChanges changes;
    for (const std::string& name : names) {
        const std::string* const before = said(in_force, name);
        const std::string* const after = said(read, name);
        if (before != nullptr && after != nullptr && *before == *after) continue;
        (is_reloaded(name) ? changes.now : changes.restart).push_back(name);
    }
    return changes;
}

void reload(Daemon& daemon, Config& in_force) {
    const auto read = load_config(in_force.file, in_force.overrides);
    if (!read) return log::reload_failed(read.error());
    const ConfigChanges changes = compare(in_force, *read);
    daemon.adopt(*read);
    for (const std::string& name : changes.now) {
        const std::string* const text = said(*read, name);
        if (text != nullptr)
            in_force.said[name] = *text;
        else
            in_force.said.erase(name);
    }
    log::reloaded(read->file.string(), fmt::format("{}", fmt::join(changes.now, ", ")),
                  fmt::format("{}", fmt::join(changes.restart, ", ")));
    for (const auto& file : exposed_secrets(*read))
        log::secret_is_exposed(file.string());
}

}  // namespace app
