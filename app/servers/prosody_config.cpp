#include "app/servers/prosody_config.hpp"

#include "app/servers/program.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <fstream>

namespace app {
namespace {

namespace json = boost::json;

constexpr const char* kProsody = "/usr/bin/prosody";
constexpr std::size_t kErrorText = 1024;  // bytes of Prosody's words

/// Prints the options of all hosts as JSON. Functions and tables within tables within tables have
/// no part in what is asked here.
constexpr const char* kProgram = R"lua(
package.path = "/usr/lib/prosody/?.lua;" .. package.path
package.cpath = "/usr/lib/prosody/?.so;" .. package.cpath
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
io.write(json.encode({ hosts = hosts, files = config.files() }))
)lua";

/// As `text` stands in a program in Lua: in a long bracket that is not in it.
std::string in_brackets(const std::string& text) {
    std::string signs;
    while (text.find("]" + signs + "]") != std::string::npos)
        signs += '=';
    return "[" + signs + "[" + text + "]" + signs + "]";
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

base::Result<ProsodyConfig> parse_hosts(const std::string& output) {
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

base::Result<ProsodyConfig> read_prosody(const std::filesystem::path& file) {
    const auto lua = interpreter();
    if (!lua) return lua.error();
    const auto answer =
        run_program({*lua, "-e", "FILE = " + in_brackets(file.string()), "-e", kProgram});
    if (!answer) return answer.error();
    if (answer->status != 0)
        return base::fail(base::Errc::syntax, base::printable(answer->output, kErrorText));
    return parse_hosts(answer->output);
}

}  // namespace app
