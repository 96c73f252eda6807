#include "app/setup/packetboat_edits.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <optional>

namespace app {
namespace {

constexpr std::string_view kExampleComponent = "component mail.example.org";
constexpr std::uint64_t kExampleSize = 50u << 20;  // bytes, `max-size` of the example

/// A line of a text: where it begins, and without its end.
struct Line {
    std::size_t at = 0;
    std::string_view text;

    std::size_t end() const { return at + text.size(); }
};

std::vector<Line> lines_of(std::string_view text) {
    std::vector<Line> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        lines.push_back({at, text.substr(at, end - at)});
        at = end + 1;
    }
    return lines;
}

bool is_header(std::string_view line) {
    return base::trim(line).starts_with('[');
}

/// The lines of the section, its header first; none if there is no such section.
std::vector<Line> section_of(std::string_view text, std::string_view header) {
    std::vector<Line> found;
    for (const Line& line : lines_of(text)) {
        if (is_header(line.text)) {
            if (!found.empty()) break;
            std::string_view name = base::trim(line.text);
            name.remove_prefix(1);
            if (base::trim(name.substr(0, name.find(']'))) != header) continue;
        } else if (found.empty()) {
            continue;
        }
        found.push_back(line);
    }
    return found;
}

/// `key = value`, or with `#` before it.
std::optional<std::string_view> value_in(std::string_view line, std::string_view key,
                                         bool commented) {
    line = base::trim(line);
    if (line.starts_with('#') != commented) return std::nullopt;
    if (commented) line = base::trim(line.substr(1));
    const std::size_t sign = line.find('=');
    if (sign == std::string_view::npos || base::trim(line.substr(0, sign)) != key)
        return std::nullopt;
    return base::trim(line.substr(sign + 1));
}

/// `50M`; the most that there is if it is none.
std::uint64_t bytes_in(std::string_view text) {
    static constexpr std::string_view kUnits = "KMG";
    std::uint64_t unit = 1;
    if (!text.empty() && kUnits.find(text.back()) != std::string_view::npos) {
        unit = std::uint64_t{1} << (10 * (kUnits.find(text.back()) + 1));
        text.remove_suffix(1);
    }
    const auto number = base::parse_number(text, UINT32_MAX);
    return number ? *number * unit : UINT64_MAX;
}

}  // namespace

std::string joined(const std::vector<std::string>& names, const std::string& between) {
    std::string text;
    for (const auto& name : names)
        text += (text.empty() ? "" : between) + name;
    return text;
}

std::string with_key(std::string text, std::string_view header, std::string_view key,
                     std::string_view value) {
    const std::string setting = std::string(key) + " = " + std::string(value);
    const auto section = section_of(text, header);
    if (section.empty()) {
        if (!text.empty() && !text.ends_with('\n')) text += '\n';
        return text + "\n[" + std::string(header) + "]\n" + setting + "\n";
    }
    for (const bool commented : {false, true}) {
        for (const Line& line : section) {
            const auto found = value_in(line.text, key, commented);
            if (!found) continue;
            if (commented) return text.insert(line.end(), "\n" + setting);
            if (*found == value) return text;
            return text.replace(line.at, line.text.size(), setting);
        }
    }
    // Behind the last key: what follows are comments on what comes next.
    const auto last = std::find_if(section.rbegin(), section.rend(), [](const Line& line) {
        return is_header(line.text) ||
               (!base::trim(line.text).empty() && !base::trim(line.text).starts_with('#'));
    });
    return text.insert(last->end(), "\n" + setting);
}

std::string value_of(std::string_view text, std::string_view header, std::string_view key) {
    for (const Line& line : section_of(text, header)) {
        if (const auto found = value_in(line.text, key, false)) return std::string(*found);
    }
    return "";
}

std::string component_in(std::string_view text) {
    for (const Line& line : lines_of(text)) {
        std::string_view header = base::trim(line.text);
        if (!header.starts_with("[component ")) continue;
        header.remove_prefix(1);
        header = base::trim(header.substr(0, header.find(']')));
        if (header == kExampleComponent && value_of(text, header, "secret") == "change-me")
            continue;
        return std::string(base::trim(header.substr(std::string_view("component").size())));
    }
    return "";
}

std::string packetboat_conf(std::string text, const Site& site) {
    const std::string component = "component " + site.component;
    bool is_new = section_of(text, component).empty();
    if (is_new) {
        const auto from_example = section_of(text, kExampleComponent);
        const bool is_example =
            !from_example.empty() && value_of(text, kExampleComponent, "secret") == "change-me";
        if (is_example) {
            text.replace(from_example.front().at, from_example.front().text.size(),
                         "[" + component + "]");
        }
    }
    is_new = is_new || value_of(text, component, "secret") == "change-me";
    const auto set = [&text](std::string_view header, std::string_view key,
                             std::string_view value) {
        text = with_key(std::move(text), header, key, value);
    };
    // What is not the example's any more is somebody's choice.
    if (const auto name = value_of(text, "daemon", "hostname");
        name.empty() || name == "mx.example.org")
        set("daemon", "hostname", site.hostname);
    if (const auto name = value_of(text, "daemon", "authserv-id");
        name.empty() || name == "packetboat.example.org")
        set("daemon", "authserv-id", "packetboat." + site.domains.front());
    set(component, "server", "127.0.0.1:" + std::to_string(site.component_port));
    if (value_of(text, component, "secret-file").empty()) set(component, "secret", site.secret);
    // Domains that are there already stay.
    std::vector<std::string> domains;
    const std::string known = value_of(text, component, "domains");
    for (const auto domain : base::split(known, " \t,")) {
        if (domain != "example.org") domains.emplace_back(domain);
    }
    for (const auto& domain : site.domains) {
        if (std::ranges::find(domains, domain) == domains.end()) domains.push_back(domain);
    }
    set(component, "domains", joined(domains));
    // An administrator may want less, and says so.
    const auto lower = [&](std::string_view key, std::uint64_t most) {
        const std::string said = value_of(text, component, key);
        if (said.empty() || bytes_in(said) > most) set(component, key, std::to_string(most));
    };
    lower("max-stanza", site.max_stanza);
    // More than Postfix takes would be refused at the hand-over.
    if (site.message_size_limit != 0 && site.message_size_limit < kExampleSize)
        lower("max-size", site.message_size_limit);
    if (is_new || site.require_certificates) set(component, "s2s-assurance", site.assurance);
    return text;
}

}  // namespace app
