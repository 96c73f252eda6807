#include "app/setup/prosody_edits.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace app {
namespace {

namespace json = boost::json;

bool is_word(std::string_view text) {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !text.empty() && letter(text.front()) &&
           std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string in_quotes(std::string_view text) {
    std::string all = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') all += '\\';
        if (c == '\n') {
            all += "\\n";
        } else if (c == '\r' || c == '\0') {
            all += fmt::format("\\{:03}", static_cast<int>(c));
        } else {
            all += c;
        }
    }
    return all + "\"";
}

bool has_word(const json::value* list, std::string_view word) {
    return list != nullptr && list->is_array() &&
           std::ranges::any_of(list->get_array(), [&](const json::value& each) {
               return each.is_string() && each.get_string() == word;
           });
}

/// `limits`, with a link from another server that is quick enough.
std::string limits_line(const ProsodyConfig& prosody) {
    json::object limits = object_in(prosody.find("limits"));
    json::object link = object_in(limits.if_contains("s2sin"));
    link["rate"] = kQuickLinkText;
    limits["s2sin"] = std::move(link);
    return "limits = " + to_lua(limits);
}

std::string network_line(const ProsodyConfig& prosody) {
    json::object network = object_in(prosody.find("network_settings"));
    network["nagle"] = false;
    network["min_wait"] = 0;
    if (!network.contains("read_size")) network["read_size"] = 65536;
    return "network_settings = " + to_lua(network);
}

std::string domains_line(const std::vector<std::string>& domains) {
    json::array names;
    for (const auto& domain : domains)
        names.emplace_back(domain);
    return "\tmail_transfer_domains = " + to_lua(names);
}

/// Whether others hear that the component carries this domain's mail: by the component's section,
/// or by the domain's own.
bool is_announced(const ProsodyConfig& prosody, const Site& site, const std::string& domain) {
    const bool by_component =
        has_word(prosody.find(site.component, "mail_transfer_domains"), domain) &&
        has_word(prosody.find(site.component, "modules_enabled"), "mail_transfer_addresses");
    const bool by_domain =
        has_word(prosody.find(domain, "mail_transfer_addresses"), site.component) &&
        has_word(prosody.find(domain, "modules_enabled"), "mail_transfer_addresses");
    return by_component || by_domain;
}

/// Our own file once more, with the domains that it does not have.
std::string with_domains(const ProsodyConfig& prosody, const Site& site, std::string text) {
    std::vector<std::string> domains;
    const json::value* const known = prosody.find(site.component, "mail_transfer_domains");
    if (known != nullptr && known->is_array()) {
        for (const auto& each : known->get_array()) {
            if (each.is_string()) domains.emplace_back(each.get_string());
        }
    }
    bool has_all = true;
    for (const auto& domain : site.domains) {
        if (is_announced(prosody, site, domain)) continue;
        has_all = false;
        domains.push_back(domain);
    }
    const std::size_t at = text.find("\tmail_transfer_domains = ");
    if (has_all || at == std::string::npos) return text;
    return text.replace(at, text.find('\n', at) - at, domains_line(domains));
}

std::string component_section(const Site& site) {
    return fmt::format(
        "\n-- No `name`: with one, Prosody would answer for it while Packetboat is down.\n"
        "Component {}\n"
        "\tcomponent_secret = {}\n"
        "\t-- A reconnecting Packetboat takes over at once.\n"
        "\tcomponent_conflict_resolve = \"kick_old\"\n"
        "\t-- Tells other servers that it carries these domains' mail.\n"
        "\tmodules_enabled = {{ \"mail_transfer_addresses\" }}\n"
        "{}\n",
        in_quotes(site.component), in_quotes(site.secret), domains_line(site.domains));
}

}  // namespace

std::string to_lua(const json::value& value) {
    if (value.is_string()) return in_quotes(value.get_string());
    if (value.is_double() &&
        value.get_double() == static_cast<double>(static_cast<std::int64_t>(value.get_double())))
        return std::to_string(static_cast<std::int64_t>(value.get_double()));
    if (value.is_null()) return "nil";
    if (!value.is_array() && !value.is_object()) return json::serialize(value);
    std::string text;
    const auto add = [&text](const std::string& part) {
        text += (text.empty() ? " " : ", ") + part;
    };
    if (value.is_array()) {
        for (const auto& each : value.get_array())
            add(to_lua(each));
    } else {
        std::vector<std::string> parts;
        for (const auto& [key, each] : value.get_object()) {
            const std::string name(key);
            parts.push_back((is_word(name) ? name : "[" + in_quotes(name) + "]") + " = " +
                            to_lua(each));
        }
        // A table in Lua has no order.
        std::ranges::sort(parts);
        for (const auto& part : parts)
            add(part);
    }
    return text.empty() ? "{}" : "{" + text + " }";
}

std::string prosody_file(const ProsodyConfig& prosody, const Site& site, const std::string& before,
                         const std::string& module_folder) {
    std::string text;
    const auto add = [&text](std::string_view why, const std::string& line) {
        text += fmt::format("\n-- {}\n{}\n", why, line);
    };
    if (site.require_certificates && !prosody.requires_certificates()) {
        add("Other servers have to show a certificate that names them.",
            "s2s_secure_auth = true\ns2s_require_encryption = true");
    }
    // In front, where options are the whole server's.
    if (!before.empty())
        return (text.empty() ? "" : text.substr(1) + "\n") + with_domains(prosody, site, before);
    if (prosody.is_paced())
        add("Without nagle and min_wait bulk traffic stalls, mostly idle.", network_line(prosody));
    if (prosody.find("gc") == nullptr)
        add("Collecting garbage is half of the work otherwise.", "gc = { threshold = 200 }");
    if (prosody.is_slow()) {
        add("Two mails with an attachment a minute is too slow. These are all limits: an option is "
            "replaced, not merged.",
            limits_line(prosody));
    }
    if (!module_folder.empty())
        add("Where the module is.", "plugin_paths = { " + in_quotes(module_folder) + " }");
    if (!prosody.has_component(site.component)) text += component_section(site);
    if (text.empty()) return text;
    return "-- Written by `packetboat setup`; `packetboat setup --undo` takes it back. What it is "
           "about: packetboat.cfg.lua\n-- in the examples of Packetboat.\n" +
           text;
}

std::string prosody_main(const std::string& text) {
    for (const auto line : base::split(text, "\n")) {
        const auto said = base::trim(line);
        const bool includes = said.starts_with("Include") || said.starts_with("include");
        if (includes && said.find("conf.d") != std::string_view::npos) return text;
    }
    return text + (text.ends_with('\n') ? "" : "\n") + "\nInclude \"" + kProsodyOwnFile + "\"\n";
}

std::vector<std::string> prosody_faults(const ProsodyConfig& prosody, const Site& site) {
    std::vector<std::string> faults;
    const auto add = [&faults](const std::string& what) {
        faults.push_back(
            fmt::format("Prosody: another file says otherwise than {}: {}", kProsodyOwnFile, what));
    };
    if (site.assurance == "pkix" && !prosody.requires_certificates())
        add("s2s_secure_auth and s2s_require_encryption are not both true");
    if (prosody.is_slow()) add("limits.s2sin is below " + std::string(kQuickLinkText));
    if (prosody.is_paced()) add("network_settings has no nagle = false, min_wait = 0");
    for (const auto& domain : site.domains) {
        if (!is_announced(prosody, site, domain)) {
            add(fmt::format("nothing tells others that {} carries the mail of {}", site.component,
                            domain));
        }
    }
    return faults;
}

}  // namespace app
