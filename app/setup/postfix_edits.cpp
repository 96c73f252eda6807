#include "app/setup/postfix_edits.hpp"

#include "app/servers/program.hpp"
#include "app/setup/change.hpp"
#include "app/setup/examples.hpp"
#include "app/setup/private_folder.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>
#include <unistd.h>

namespace app {
namespace {

constexpr std::uint64_t kHeaderSize = 1048576;  // bytes
constexpr std::uint16_t kPorts[] = {2526, 2527};
const std::string kPolicy = "$packetboat_policy";
const std::string kOwnChecks = std::string("regexp:") + kHeaderChecks;

const std::vector<std::string> kParameters{"transport_maps",
                                           "packetboat_policy",
                                           "smtpd_recipient_restrictions",
                                           "own_header_checks",
                                           "header_checks",
                                           "mime_header_checks",
                                           "nested_header_checks",
                                           "lmtp_line_length_limit",
                                           "smtp_line_length_limit",
                                           "local_header_rewrite_clients",
                                           "header_size_limit",
                                           "message_size_limit",
                                           "myhostname",
                                           "smtputf8_enable"};

/// A folder with these files, as `postconf -c` takes it.
class Copy {
  public:
    Copy(const std::string& main, const std::string& master) {
        if (folder_.path().empty()) return;
        const FileOwner mine{0600, ::geteuid(), ::getegid()};
        good_ =
            write_file(file("main.cf"), main, mine) && write_file(file("master.cf"), master, mine);
    }

    std::filesystem::path file(const char* name) const { return folder_.path() / name; }

    base::Result<std::string> ask(const std::vector<std::string>& words) const {
        if (!good_) return base::fail(base::Errc::io, "no copy of main.cf can be made");
        std::vector<std::string> all{kPostconf, "-c", folder_.path().string()};
        all.insert(all.end(), words.begin(), words.end());
        auto output = output_of(all);
        if (!output) return output.error();
        // It warns of what it does not know, and says the rest.
        return without_warnings(*output);
    }

  private:
    PrivateFolder folder_;
    bool good_ = false;
};

void add_parameters(std::map<std::string, std::string>& values, std::string_view output) {
    for (const auto line : base::split(output, "\n")) {
        const std::size_t sign = line.find(" =");
        if (sign != std::string_view::npos)
            values[std::string(line.substr(0, sign))] = base::trim(line.substr(sign + 2));
    }
}

bool is_set_to(const MainCf& main, const std::string& name, std::string_view value) {
    return main.set.contains(name) && main.value(name) == value;
}

/// The line that sets a parameter; empty if there is none.
std::string_view line_with(std::string_view text, std::string_view name) {
    for (const auto line : base::split(text, "\n")) {
        if (!line.starts_with(name)) continue;
        const std::string_view rest = base::trim(line.substr(name.size()));
        if (rest.starts_with('=')) return line;
    }
    return {};
}

/// `main` with the lines of `before` where it has those of `after`, whatever stands around them.
std::string with_lines_of(const std::string& main, const std::string& before,
                          const std::string& after) {
    std::string text;
    for (std::size_t at = 0; at < main.size();) {
        const std::size_t end = std::min(main.find('\n', at), main.size());
        const std::string line = main.substr(at, end - at);
        at = end + 1;
        const std::string name(base::trim(line.substr(0, line.find('='))));
        // One that went on in other lines stays for the lists below.
        const std::string_view known = line_with(before, name);
        const std::size_t behind =
            known.empty()
                ? 0
                : static_cast<std::size_t>(known.data() + known.size() - before.data()) + 1;
        const bool goes_on = !known.empty() && behind < before.size() &&
                             (before[behind] == ' ' || before[behind] == '\t');
        const bool is_setting = !goes_on && !name.empty() && line.find('=') != std::string::npos &&
                                !line.starts_with('#') && line == line_with(after, name);
        const std::string was(is_setting ? std::string(known) : line);
        if (!was.empty() || line.empty()) text += was + "\n";
    }
    return text;
}

/// Without this part of a list, in the order that the rest has.
std::string without(const std::string& list, const std::string& part) {
    std::string rest;
    for (const auto& each : split_postfix_list(list)) {
        if (each != part) rest += (rest.empty() ? "" : ", ") + each;
    }
    return rest;
}

/// Where the value begins of `-o NAME=VALUE` or `-o { NAME = VALUE }`; npos: it is not in the line.
std::size_t value_in_line(const std::string& line, std::string_view name) {
    const std::size_t at = line.find(name);
    if (at == std::string::npos || at == 0) return std::string::npos;
    const char before = line[at - 1];
    const std::size_t sign = line.find_first_not_of(" \t", at + name.size());
    const bool is_name = before == ' ' || before == '\t' || before == '{';
    if (!is_name || sign == std::string::npos || line[sign] != '=') return std::string::npos;
    const std::size_t value = line.find_first_not_of(" \t", sign + 1);
    return value == std::string::npos ? line.size() : value;
}

using LineEdit = std::function<void(std::string& line, std::size_t value)>;

/// The lines of master.cf, edited where a service that strangers or users get to has recipient
/// restrictions of its own.
std::string on_restrictions(const PostfixConfig& postfix, const std::string& master,
                            const LineEdit& edit) {
    std::string text;
    bool is_meant = false;
    for (std::size_t at = 0; at < master.size();) {
        const std::size_t end = std::min(master.find('\n', at), master.size());
        std::string line = master.substr(at, end - at);
        const auto fields = base::split(line);
        const bool is_comment = !fields.empty() && fields[0].starts_with('#');
        const bool goes_on = line.starts_with(' ') || line.starts_with('\t');
        if (!goes_on && !is_comment && fields.size() >= 2) {
            const auto* const service = postfix.find(fields[0], fields[1]);
            // What is on loopback brings back what has been counted already.
            is_meant =
                service != nullptr && service->command == "smtpd" && !service->is_on_loopback();
        }
        const std::size_t value = is_meant && !is_comment
                                      ? value_in_line(line, "smtpd_recipient_restrictions")
                                      : std::string::npos;
        if (value != std::string::npos) edit(line, value);
        text += line;
        if (end < master.size()) text += '\n';
        at = end + 1;
    }
    return text;
}

std::string joined_with(const std::string& first, const std::string& second) {
    return first.empty() ? second : second.empty() ? first : first + ", " + second;
}

}  // namespace

std::string MainCf::value(const std::string& name) const {
    const auto found = values.find(name);
    return found == values.end() ? "" : found->second;
}

base::Result<MainCf> read_main_cf(const std::string& main, const std::string& master) {
    const Copy copy(main, master);
    const auto all = copy.ask(kParameters);
    if (!all) return all.error();
    std::vector<std::string> words{"-n"};
    words.insert(words.end(), kParameters.begin(), kParameters.end());
    const auto set = copy.ask(words);
    if (!set) return set.error();
    // These are facts, and no texts to be written again.
    const auto facts = copy.ask({"-x", "myhostname", "message_size_limit"});
    if (!facts) return facts.error();
    MainCf found;
    add_parameters(found.values, *all);
    add_parameters(found.values, *facts);
    std::map<std::string, std::string> own;
    add_parameters(own, *set);
    for (const auto& [name, value] : own)
        found.set.insert(name);
    return found;
}

base::Result<PostfixConfig> read_master_cf(const std::string& main, const std::string& master) {
    const Copy copy(main, master);
    const auto services = copy.ask({"-M"});
    if (!services) return services.error();
    const auto overrides = copy.ask({"-P"});
    if (!overrides) return overrides.error();
    return PostfixConfig(*services, *overrides, "");
}

Assignments header_check_settings(const MainCf& main) {
    if (main.value("header_checks").find(kHeaderChecks) != std::string::npos) return {};
    Assignments all{"own_header_checks=" + main.value("header_checks"),
                    "header_checks=" + kOwnChecks + ", $own_header_checks"};
    // Attached mails keep their fields; these two are $header_checks unless they are set.
    for (const std::string name : {"mime_header_checks", "nested_header_checks"}) {
        if (!main.set.contains(name)) all.push_back(name + "=$own_header_checks");
    }
    return all;
}

Assignments byte_settings(const MainCf& main) {
    Assignments all;
    for (const std::string name : {"lmtp_line_length_limit", "smtp_line_length_limit"}) {
        if (!is_set_to(main, name, "0")) all.push_back(name + "=0");
    }
    if (!is_set_to(main, "local_header_rewrite_clients", ""))
        all.push_back("local_header_rewrite_clients=");
    const auto limit = base::parse_number(main.value("header_size_limit"));
    if (!limit || *limit < kHeaderSize)
        all.push_back("header_size_limit=" + std::to_string(kHeaderSize));
    return all;
}

Assignments table_settings(const MainCf& main, const std::string& table) {
    const std::string now = main.value("transport_maps");
    const auto tables = split_postfix_list(now);
    if (std::ranges::find(tables, table) != tables.end()) return {};
    // Behind what is there: a route that somebody has set goes first.
    return {"transport_maps=" + joined_with(now, table)};
}

Assignments policy_settings(const MainCf& main, const std::string& service) {
    Assignments all;
    if (main.value("packetboat_policy").empty()) {
        all.push_back("packetboat_policy=check_policy_service { " + service +
                      ", timeout=2s, try_limit=1, default_action=DUNNO }");
    }
    const std::string now = main.value("smtpd_recipient_restrictions");
    if (now.find(kPolicy) == std::string::npos)
        all.push_back("smtpd_recipient_restrictions=" + joined_with(kPolicy, now));
    return all;
}

std::string with_service_policy(const PostfixConfig& postfix, const std::string& master) {
    return on_restrictions(postfix, master, [](std::string& line, std::size_t value) {
        if (line.find(kPolicy, value) == std::string::npos) line.insert(value, kPolicy + ",");
    });
}

base::Result<std::string> with_settings(const std::string& main, const Assignments& settings) {
    if (settings.empty()) return main;
    const Copy copy(main, "");
    std::vector<std::string> words{"-e"};
    words.insert(words.end(), settings.begin(), settings.end());
    const auto written = copy.ask(words);
    if (!written) return written.error();
    return read_file(copy.file("main.cf"));
}

std::string with_services(const PostfixConfig& postfix, std::string master) {
    const bool is_there = std::ranges::any_of(kPorts, [&](std::uint16_t port) {
        return std::ranges::any_of(postfix.services(), [port](const PostfixService& service) {
            return service.has_port(port);
        });
    });
    if (is_there) return master;
    if (!master.empty() && !master.ends_with('\n')) master += '\n';
    return master + "\n" + example("postfix/master.cf");
}

base::Result<std::string> without_ours_in_main(const std::string& main, const std::string& before,
                                               const std::string& after) {
    const std::string text = with_lines_of(main, before, after);
    const auto known = read_main_cf(text, "");
    if (!known) return known.error();
    Assignments settings;
    const auto set = [&](const std::string& name, const std::string& value) {
        const bool is_touched = line_with(before, name) != line_with(after, name);
        if (is_touched && known->set.contains(name) && known->value(name) != value)
            settings.push_back(name + "=" + value);
    };
    const std::string tables = known->value("transport_maps");
    if (tables.find(kOwnTable) != std::string::npos)
        set("transport_maps", without(tables, kOwnTable));
    const std::string restrictions = known->value("smtpd_recipient_restrictions");
    if (restrictions.find(kPolicy) != std::string::npos)
        set("smtpd_recipient_restrictions", without(restrictions, kPolicy));
    const std::string checks = known->value("header_checks");
    if (checks.find(kHeaderChecks) != std::string::npos) {
        const std::string others = without(without(checks, kOwnChecks), "$own_header_checks");
        set("header_checks", joined_with(known->value("own_header_checks"), others));
    }
    return with_settings(text, settings);
}

base::Result<std::string> without_ours_in_master(const std::string& master) {
    const auto postfix = read_master_cf("", master);
    if (!postfix) return postfix.error();
    std::string text = on_restrictions(*postfix, master, [](std::string& line, std::size_t value) {
        for (const std::string& ours : {kPolicy + ", ", kPolicy + ",", kPolicy}) {
            const std::size_t at = line.find(ours, value);
            if (at != std::string::npos) line.erase(at, ours.size());
        }
    });
    const std::string services = example("postfix/master.cf");
    const std::size_t at = text.find(services);
    if (at != std::string::npos) text.erase(at, services.size());
    return text;
}

}  // namespace app
