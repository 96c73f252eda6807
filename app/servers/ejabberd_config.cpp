#include "app/servers/ejabberd_config.hpp"

#include "component/xml/jid.hpp"

#include <algorithm>
#include <fstream>

#include <yaml-cpp/yaml.h>

namespace app {
namespace {

constexpr std::uintmax_t kFileBytes = 1u << 20;  // Debian's has 7 KB
constexpr std::size_t kFiles = 100;              // that include each other

using Files = std::vector<std::filesystem::path>;

/// (A Result of a Node alone would take an Error for a value.)
struct Document {
    YAML::Node root;
};

base::Result<Document> read_yaml(const std::filesystem::path& file) {
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    if (error) return base::fail(base::Errc::io, file.string() + ": " + error.message());
    if (size > kFileBytes) return base::fail(base::Errc::limit, file.string() + " is too long");
    std::ifstream input(file);
    if (!input) return base::fail(base::Errc::io, file.string() + ": can't be read");
    try {
        return Document{YAML::Load(input)};
    } catch (const YAML::Exception& wrong) {
        return base::fail(base::Errc::syntax, file.string() + ": " + wrong.what());
    }
}

/// `infinity` is none.
std::uint64_t limit_of(const YAML::Node& listener) {
    return listener["max_stanza_size"].as<std::uint64_t>(UINT64_MAX);
}

void add_listener(EjabberdConfig& config, const YAML::Node& listener) {
    if (!listener.IsMap()) return;
    config.ports.insert(listener["port"].as<std::uint16_t>(0));
    const auto module = listener["module"].as<std::string>("");
    if (module == "ejabberd_s2s_in")
        config.max_stanza = std::min(config.max_stanza, limit_of(listener));
    if (module != "ejabberd_service") return;
    EjabberdService service;
    service.port = listener["port"].as<std::uint16_t>(0);
    service.check_from = listener["check_from"].as<bool>(true);
    service.max_stanza = limit_of(listener);
    const YAML::Node hosts = listener["hosts"];
    if (hosts.IsDefined() && hosts.IsMap()) {
        for (const auto& host : hosts) {
            auto name = host.first.as<std::string>("");
            const auto jid = component::Jid::parse(name);
            if (jid) name = jid->full();
            if (host.second.IsMap())
                service.passwords[name] = host.second["password"].as<std::string>("");
            service.hosts.push_back(std::move(name));
        }
    }
    config.services.push_back(std::move(service));
}

void add_options(EjabberdConfig& config, const YAML::Node& root) {
    for (const auto& option : root)
        config.options.insert(option.first.as<std::string>(""));
    config.starttls = root["s2s_use_starttls"].as<std::string>(config.starttls);
    config.max_retry_delay = root["s2s_max_retry_delay"].as<std::uint64_t>(config.max_retry_delay);
    const YAML::Node hosts = root["hosts"];
    if (hosts.IsDefined() && hosts.IsSequence()) {
        for (const auto& host : hosts)
            config.hosts.insert(host.as<std::string>(""));
    }
    const YAML::Node modules = root["modules"];
    if (modules.IsDefined() && modules.IsMap()) {
        for (const auto& module : modules)
            config.modules.insert(module.first.as<std::string>(""));
    }
}

/// `include_config_file`: a file, a list of files, or files with options of their own.
void add_included(Files& files, const YAML::Node& included) {
    if (!included.IsDefined()) return;
    if (included.IsScalar()) {
        files.emplace_back(included.as<std::string>(""));
    } else if (included.IsSequence()) {
        for (const auto& each : included)
            add_included(files, each);
    } else if (included.IsMap()) {
        for (const auto& each : included)
            add_included(files, each.first);
    }
}

}  // namespace

bool EjabberdService::has_host(const std::string& jid) const {
    return std::find(hosts.begin(), hosts.end(), jid) != hosts.end();
}

base::Result<EjabberdConfig> read_ejabberd(const std::filesystem::path& file) {
    EjabberdConfig config;
    Files files{file};
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (i >= kFiles) return base::fail(base::Errc::limit, file.string() + " includes too much");
        const auto loaded = read_yaml(files[i]);
        if (!loaded) return loaded.error();
        // A constant node, as one that is not gets the keys that it is asked for.
        const YAML::Node& root = loaded->root;
        if (!root.IsMap()) continue;
        const YAML::Node listeners = root["listen"];
        if (listeners.IsDefined() && listeners.IsSequence()) {
            for (const auto& listener : listeners)
                add_listener(config, listener);
        }
        add_options(config, root);
        add_included(files, root["include_config_file"]);
    }
    return config;
}

}  // namespace app
