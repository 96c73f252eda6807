#include "app/setup/ejabberd_edits.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace app {
namespace {

constexpr std::string_view kPlainOptions = R"(ERL_OPTIONS="-env ERL_CRASH_DUMP_BYTES 0")";
constexpr std::string_view kOurOptions =
    R"(ERL_OPTIONS="-env ERL_CRASH_DUMP_BYTES 0 -kernel inet_default_connect_options [{nodelay,true}]")";

/// (A Result of a Node alone would take an Error for a value.)
struct EjabberdDocument {
    YAML::Node root;
};

base::Result<EjabberdDocument> parse_ejabberd(const std::string& text) {
    try {
        EjabberdDocument document{YAML::Load(text)};
        if (document.root.IsMap()) return document;
        return base::fail(base::Errc::syntax, std::string(kEjabberdFile) + ": is no map");
    } catch (const YAML::Exception& wrong) {
        return base::fail(base::Errc::syntax, std::string(kEjabberdFile) + ": " + wrong.what());
    }
}

std::vector<std::string> yaml_lines(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

/// The key's own node in a map; undefined if it is not there.
YAML::Node key_node(const YAML::Node& map, const std::string& key) {
    if (map.IsDefined() && map.IsMap()) {
        for (const auto& each : map) {
            if (each.first.IsScalar() && each.first.Scalar() == key) return each.first;
        }
    }
    return YAML::Node(YAML::NodeType::Undefined);
}

std::size_t yaml_line(const YAML::Node& node) {
    return static_cast<std::size_t>(node.Mark().line);
}

std::string indent(int columns) {
    return std::string(static_cast<std::size_t>(std::max(columns, 0)), ' ');
}

base::Error by_hand(const std::string& what) {
    return base::fail(base::Errc::syntax, fmt::format("{}: {}", kEjabberdFile, what));
}

/// As it stands between double quotes.
std::string escaped(const std::string& text) {
    std::string all;
    for (const char c : text) {
        if (c == '"' || c == '\\') all += '\\';
        all += c;
    }
    return all;
}

/// The lines of `mod_disco`, indented by `columns`.
std::vector<std::string> disco_lines(const Site& site, int columns) {
    const std::string in = indent(columns);
    return {in + "extra_domains:",   in + "  - " + site.component,
            in + "server_info:",     in + "  -",
            in + "    modules: all", in + "    name: mail-transfer-addresses",
            in + "    urls:",        in + "      - " + site.component};
}

/// ejabberd.yml in lines, some of which go, and others come behind them.
class Lines {
  public:
    explicit Lines(const std::string& text) : lines_(yaml_lines(text)), behind_(lines_.size()) {}

    const std::string& at(std::size_t line) const { return lines_.at(line); }
    std::size_t size() const { return lines_.size(); }
    void remove(std::size_t line) { removed_.insert(line); }
    void add_behind(std::size_t line, const std::vector<std::string>& more) {
        behind_.at(line).insert(behind_.at(line).end(), more.begin(), more.end());
    }
    std::string text() const {
        std::string all;
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            if (!removed_.contains(i)) all += lines_[i] + "\n";
            for (const auto& line : behind_[i])
                all += line + "\n";
        }
        return all;
    }

  private:
    std::vector<std::string> lines_;
    std::vector<std::vector<std::string>> behind_;
    std::set<std::size_t> removed_;
};

/// The files that it includes: `include_config_file` is one, a list, or a map of them.
std::vector<std::string> included_by(const YAML::Node& root) {
    std::vector<std::string> files;
    const YAML::Node said = root["include_config_file"];
    if (!said.IsDefined()) return files;
    if (said.IsScalar()) files.push_back(said.Scalar());
    if (said.IsMap()) {
        for (const auto& each : said)
            files.push_back(each.first.as<std::string>(""));
    }
    if (!said.IsSequence()) return files;
    for (const auto& each : said) {
        if (each.IsMap() && each.size() > 0)
            files.push_back(each.begin()->first.as<std::string>(""));
        else
            files.push_back(each.as<std::string>(""));
    }
    return files;
}

bool includes_ours(const YAML::Node& root) {
    const auto files = included_by(root);
    return std::ranges::find(files, kEjabberdOwnFile) != files.end();
}

base::Result<void> include_ours(Lines& lines, const YAML::Node& root) {
    const YAML::Node key = key_node(root, "include_config_file");
    const std::string item = std::string("- ") + kEjabberdOwnFile;
    if (!key.IsDefined()) {
        lines.add_behind(lines.size() - 1, {"", "include_config_file:", "  " + item});
        return {};
    }
    const YAML::Node files = root["include_config_file"];
    if (!files.IsSequence() || files.size() == 0 || yaml_line(files[0]) <= yaml_line(key))
        return by_hand("add " + item + " to include_config_file by hand");
    lines.add_behind(yaml_line(key), {indent(files[0].Mark().column - 2) + item});
    return {};
}

bool is_plain(const YAML::Node& options) {
    return options.IsNull() || (options.IsMap() && options.size() == 0);
}

bool has_disco_options(const YAML::Node& root) {
    const YAML::Node modules = root["modules"];
    return key_node(modules, "mod_disco").IsDefined() && !is_plain(modules["mod_disco"]);
}

/// `mod_disco: {}` goes, as ours stands in our own file; one with options gets ours beside them.
base::Result<void> move_disco(Lines& lines, const YAML::Node& root, const Site& site) {
    const YAML::Node modules = root["modules"];
    const YAML::Node key = key_node(modules, "mod_disco");
    if (!key.IsDefined()) return {};
    const YAML::Node options = modules["mod_disco"];
    const std::size_t line = yaml_line(key);
    if (is_plain(options)) {
        lines.remove(line);
        return {};
    }
    const bool is_ours = key_node(options, "extra_domains").IsDefined() ||
                         key_node(options, "server_info").IsDefined();
    if (is_ours || !options.IsMap() || yaml_line(options) <= line) {
        return by_hand(
            fmt::format("mod_disco has options already: add {} to its extra_domains, and "
                        "mail-transfer-addresses to its server_info, by hand, as in "
                        "examples/ejabberd/packetboat.yml",
                        site.component));
    }
    lines.add_behind(line, disco_lines(site, options.Mark().column));
    return {};
}

/// No dialback, and TLS required, where ejabberd.yml says otherwise.
base::Result<void> demand_certificates(Lines& lines, const YAML::Node& root,
                                       const EjabberdConfig& before) {
    const YAML::Node modules = root["modules"];
    const YAML::Node dialback = key_node(modules, "mod_s2s_dialback");
    if (before.takes_dialback()) {
        if (!dialback.IsDefined() || !is_plain(modules["mod_s2s_dialback"]))
            return by_hand("remove mod_s2s_dialback by hand");
        lines.remove(yaml_line(dialback));
    }
    if (before.starttls.empty() || before.requires_tls()) return {};
    const YAML::Node tls = key_node(root, "s2s_use_starttls");
    if (!tls.IsDefined() || yaml_line(root["s2s_use_starttls"]) != yaml_line(tls))
        return by_hand("say s2s_use_starttls: required by hand");
    lines.add_behind(yaml_line(tls), {indent(tls.Mark().column) + "s2s_use_starttls: required"});
    lines.remove(yaml_line(tls));
    return {};
}

std::set<std::string> module_names(const YAML::Node& root) {
    std::set<std::string> names;
    const YAML::Node modules = root["modules"];
    if (!modules.IsDefined() || !modules.IsMap()) return names;
    for (const auto& module : modules)
        names.insert(module.first.as<std::string>(""));
    return names;
}

std::set<std::string> option_names(const YAML::Node& root) {
    std::set<std::string> names;
    for (const auto& option : root)
        names.insert(option.first.as<std::string>(""));
    return names;
}

/// Nothing but what was meant has come or gone.
bool is_sound(const YAML::Node& before, const YAML::Node& after, bool moves_disco,
              bool drops_dialback) {
    auto modules = module_names(before);
    if (moves_disco) modules.erase("mod_disco");
    if (drops_dialback) modules.erase("mod_s2s_dialback");
    auto options = option_names(before);
    options.insert("include_config_file");
    return module_names(after) == modules && option_names(after) == options && includes_ours(after);
}

base::Result<std::string> edited(const std::string& text, const EjabberdConfig& before,
                                 const Site& site) {
    const auto document = parse_ejabberd(text);
    if (!document) return document.error();
    const YAML::Node& root = document->root;
    Lines lines(text);
    const bool is_new = !includes_ours(root);
    const bool moves_disco =
        is_new && module_names(root).contains("mod_disco") && !has_disco_options(root);
    if (is_new) {
        const auto moved = move_disco(lines, root, site);
        if (!moved) return moved.error();
        const auto included = include_ours(lines, root);
        if (!included) return included.error();
    }
    if (site.require_certificates) {
        const auto demanded = demand_certificates(lines, root, before);
        if (!demanded) return demanded.error();
    }
    // What can't be read any more would keep ejabberd from starting.
    const auto after = parse_ejabberd(lines.text());
    if (!after || !is_sound(root, after->root, moves_disco, site.require_certificates)) {
        return by_hand("is written in a way that lines can't be changed in; include " +
                       std::string(kEjabberdOwnFile) + " by hand");
    }
    return lines.text();
}

std::string own_text(const EjabberdConfig& before, const std::string& main, const Site& site) {
    std::string text = fmt::format(
        "# Written by `packetboat setup`; `packetboat setup --undo` takes it back. What it is "
        "about: ejabberd/packetboat.yml\n# in the examples of Packetboat.\n\n"
        "listen:\n"
        "  # One listener for each component: those on one could speak for each other.\n"
        "  -\n"
        "    port: {}\n"
        "    ip: \"127.0.0.1\"\n"
        "    module: ejabberd_service\n"
        "    access: all\n"
        "    max_stanza_size: {}\n"
        "    global_routes: false\n"
        "    hosts:\n"
        "      {}:\n"
        "        password: \"{}\"\n",
        site.component_port, site.max_stanza, site.component, escaped(site.secret));
    if (before.starttls.empty())
        text += "\n# Links to other servers are encrypted.\ns2s_use_starttls: required\n";
    if (!before.options.contains("s2s_max_retry_delay")) {
        text +=
            "\n# After a failed dial all is bounced for so many seconds; 300 otherwise.\n"
            "s2s_max_retry_delay: 1\n";
    }
    if (has_disco_options(YAML::Load(main))) return text;
    text +=
        "\nmodules:\n"
        "  mod_disco:\n"
        "    # Keeps the component listed while Packetboat is down, and says what it carries.\n";
    for (const auto& line : disco_lines(site, 4))
        text += line + "\n";
    return text;
}

base::Error no_yaml(const YAML::Exception& wrong) {
    return base::fail(base::Errc::syntax, std::string(kEjabberdFile) + ": " + wrong.what());
}

}  // namespace

base::Result<std::string> ejabberd_main(const std::string& text, const EjabberdConfig& before,
                                        const Site& site) {
    try {
        return edited(text, before, site);
    } catch (const YAML::Exception& wrong) {
        return no_yaml(wrong);
    }
}

base::Result<std::string> ejabberd_own(const EjabberdConfig& before, const std::string& main,
                                       const Site& site) {
    try {
        return own_text(before, main, site);
    } catch (const YAML::Exception& wrong) {
        return no_yaml(wrong);
    }
}

std::string ejabberd_options(std::string text) {
    const std::size_t at = text.find(kPlainOptions);
    const bool begins_line = at == 0 || (at != std::string::npos && text[at - 1] == '\n');
    if (begins_line) text.replace(at, kPlainOptions.size(), kOurOptions);
    return text;
}

}  // namespace app
