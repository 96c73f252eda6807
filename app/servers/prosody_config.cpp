#include "app/servers/prosody_config.hpp"

#include "app/servers/program.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>

namespace app {
namespace {

namespace json = boost::json;

constexpr const char* kMark = "packetboat: the configuration follows";
constexpr const char* kProsody = "/usr/bin/prosody";
constexpr std::uint64_t kStanza = 524288;  // bytes; Prosody's default for both limits
constexpr std::uint16_t kComponentPort = 5347;
constexpr std::size_t kErrorText = 1024;  // bytes of Prosody's words

/// Prints the options of all hosts as JSON. Functions and tables within tables within tables have
/// no part in what is asked here.
constexpr const char* kProgram = R"lua(
local function here(paths) return (paths:gsub("%f[^;\0]%.[^;]*;?", "")) end
package.path = "/usr/lib/prosody/?.lua;" .. here(package.path)
package.cpath = "/usr/lib/prosody/?.so;" .. here(package.cpath)
CFG_SOURCEDIR, CFG_CONFIGDIR = "/usr/lib/prosody", "/etc/prosody"
local config = require "core.configmanager"
local json = require "util.json"
local read, _, why = config.load(FILE, "lua")
if not read then
    io.write(tostring(why))
    os.exit(1)
end
local function plain(value, depth)
    local kind = type(value)
    if kind == "string" or kind == "number" or kind == "boolean" then return value end
    if kind ~= "table" or depth > 6 then return nil end
    local copy = {}
    for key, each in pairs(value) do
        if #value == 0 and type(key) == "string" or type(key) == "number" and key <= #value then
            copy[key] = plain(each, depth + 1)
        end
    end
    return copy
end
local hosts = {}
for host, options in pairs(config.getconfig()) do hosts[host] = plain(options, 0) end
io.write("\n", MARK, "\n", json.encode({ hosts = hosts, files = config.files() }))
)lua";

/// As `text` stands in a program in Lua: in a long bracket that is not in it.
std::string in_brackets(const std::string& text) {
    std::string signs;
    while (text.find("]" + signs + "]") != std::string::npos)
        signs += '=';
    return "[" + signs + "[" + text + "]" + signs + "]";
}

bool is_true(const json::value* value) {
    return value != nullptr && value->is_bool() && value->get_bool();
}

bool is_false(const json::value* value) {
    return value != nullptr && value->is_bool() && !value->get_bool();
}

std::uint64_t number_in(const json::value* value, std::uint64_t otherwise) {
    if (value == nullptr || !value->is_number()) return otherwise;
    const auto number = value->to_number<double>();
    return number >= 1 && number < 1e15 ? static_cast<std::uint64_t>(number) : otherwise;
}

/// What runs Prosody, by its first line: `#!/usr/bin/env lua5.4`.
base::Result<std::string> interpreter() {
    std::ifstream input(kProsody);
    std::string line;
    if (!input || !std::getline(input, line))
        return base::fail(base::Errc::io, std::string(kProsody) + ": can't be read");
    const auto words = base::split(line, " \t#!/");
    std::string path = "/usr/bin/";
    path += words.empty() ? "" : words.back();
    std::error_code error;
    if (words.empty() || !words.back().starts_with("lua") || !std::filesystem::exists(path, error))
        return base::fail(base::Errc::io, std::string(kProsody) + ": runs by no Lua that is here");
    return path;
}

base::Result<ProsodyConfig> parse_hosts(std::string output) {
    // A configuration may print something itself.
    if (const auto mark = output.rfind(kMark); mark != std::string::npos)
        output.erase(0, mark + std::strlen(kMark));
    boost::system::error_code error;
    const json::value parsed = json::parse(output, error);
    const json::object* const all = error ? nullptr : parsed.if_object();
    const json::value* const hosts = all == nullptr ? nullptr : all->if_contains("hosts");
    if (hosts == nullptr || !hosts->is_object()) {
        return base::fail(base::Errc::syntax, "what Prosody's reader says is not understood: " +
                                                  base::printable(output, kErrorText));
    }
    std::vector<std::string> files;
    if (const auto* const names = all->if_contains("files"); names && names->is_array()) {
        for (const auto& name : names->get_array()) {
            if (name.is_string()) files.emplace_back(name.get_string());
        }
    }
    return ProsodyConfig(hosts->get_object(), std::move(files));
}

}  // namespace

const json::object* ProsodyConfig::own_options(const std::string& host) const {
    const json::value* const found = hosts_.if_contains(host);
    return found == nullptr ? nullptr : found->if_object();
}

const json::value* ProsodyConfig::find(const std::string& host, const std::string& option) const {
    if (const auto* const own = own_options(host); own != nullptr && own->contains(option))
        return own->if_contains(option);
    const auto* const all = own_options("*");
    return all == nullptr ? nullptr : all->if_contains(option);
}

bool ProsodyConfig::has_component(const std::string& name) const {
    const auto* const own = own_options(name);
    return own != nullptr && own->contains("component_module");
}

bool ProsodyConfig::has_external_component(const std::string& name) const {
    if (!has_component(name)) return false;
    const json::value* const module = own_options(name)->if_contains("component_module");
    return module->is_string() && module->get_string() == "component";
}

bool ProsodyConfig::has_virtual_host(const std::string& name) const {
    const auto* const own = own_options(name);
    return own != nullptr && own->contains("defined") && !own->contains("component_module");
}

std::vector<std::string> ProsodyConfig::virtual_hosts() const {
    std::vector<std::string> names;
    for (const auto& [name, options] : hosts_) {
        if (has_virtual_host(name)) names.emplace_back(name);
    }
    return names;
}

bool ProsodyConfig::has_read(const std::filesystem::path& file) const {
    return std::ranges::find(files_, file.string()) != files_.end();
}

bool ProsodyConfig::requires_certificates() const {
    return is_true(find("s2s_secure_auth")) && !is_false(find("s2s_require_encryption"));
}

std::vector<std::string> ProsodyConfig::insecure_domains() const {
    std::vector<std::string> domains;
    const json::value* const list = find("s2s_insecure_domains");
    if (list == nullptr || !list->is_array()) return domains;
    for (const auto& each : list->get_array()) {
        if (each.is_string()) domains.emplace_back(each.get_string());
    }
    return domains;
}

std::uint16_t ProsodyConfig::component_port() const {
    const json::value* ports = find("component_ports");
    if (ports != nullptr && ports->is_array() && !ports->get_array().empty())
        ports = &ports->get_array().front();
    return static_cast<std::uint16_t>(
        std::min<std::uint64_t>(number_in(ports, kComponentPort), 65535));
}

std::uint64_t ProsodyConfig::max_stanza() const {
    return std::min(number_in(find("component_stanza_size_limit"), kStanza),
                    number_in(find("s2s_stanza_size_limit"), kStanza));
}

std::string ProsodyConfig::plugin_folder() const {
    const json::value* const paths = find("plugin_paths");
    if (paths == nullptr || !paths->is_array()) return "";
    for (const auto& each : paths->get_array()) {
        if (each.is_string() && each.get_string().starts_with("/"))
            return std::string(each.get_string());
    }
    return "";
}

bool ProsodyConfig::is_slow() const {
    const json::object limits = object_in(find("limits"));
    const json::object link = object_in(limits.if_contains("s2sin"));
    const json::value* const rate = link.if_contains("rate");
    return rate != nullptr && rate->is_string() &&
           rate_of(std::string_view(rate->get_string())) < kQuickLink;
}

bool ProsodyConfig::is_paced() const {
    const json::object network = object_in(find("network_settings"));
    const json::value* const wait = network.if_contains("min_wait");
    const bool waits = wait == nullptr || !wait->is_number() || wait->to_number<double>() != 0;
    return waits || !is_false(network.if_contains("nagle"));
}

double rate_of(std::string_view text) {
    text = base::trim(text);
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return 0;
    const auto unit = base::trim(text.substr(static_cast<std::size_t>(end - text.data())));
    const char first = unit.empty() ? 'b' : base::to_lower(unit.front());
    const double factor = first == 'k' ? 1e3 : first == 'm' ? 1e6 : first == 'g' ? 1e9 : 1;
    return number * factor;
}

json::object object_in(const json::value* value) {
    return value != nullptr && value->is_object() ? value->get_object() : json::object();
}

base::Result<ProsodyConfig> read_prosody(const std::filesystem::path& file) {
    const auto lua = interpreter();
    if (!lua) return lua.error();
    const auto answer = run_program(
        {*lua, "-e", "FILE, MARK = " + in_brackets(file.string()) + ", " + in_brackets(kMark), "-e",
         kProgram});
    if (!answer) return answer.error();
    if (answer->status != 0)
        return base::fail(base::Errc::syntax, base::printable(answer->output, kErrorText));
    return parse_hosts(answer->output);
}

}  // namespace app
