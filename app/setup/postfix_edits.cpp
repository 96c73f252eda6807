#include "app/setup/postfix_edits.hpp"

#include "app/servers/program.hpp"
#include "app/setup/change.hpp"
#include "app/setup/examples.hpp"
#include "app/setup/private_folder.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

namespace app {
namespace {

constexpr std::uint64_t kHeaderSize = 1048576;  // bytes
constexpr std::uint16_t kPorts[] = {2526, 2527};
const std::string kPolicy = "$packetboat_policy";

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
        // postconf warns of what it does not know, and says the rest.
        std::string lines;
        for (const auto line : base::split(*output, "\n")) {
            if (!line.starts_with(kPostconf) && !line.starts_with("postconf: "))
                lines += std::string(line) + "\n";
        }
        return lines;
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
    MainCf found;
    add_parameters(found.values, *all);
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
    const std::string ours = std::string("regexp:") + kHeaderChecks;
    if (main.value("header_checks").find(kHeaderChecks) != std::string::npos) return {};
    Assignments all{"own_header_checks=" + main.value("header_checks"),
                    "header_checks=" + ours + ", $own_header_checks"};
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

Assignments service_policy_settings(const PostfixConfig& postfix) {
    Assignments all;
    for (const auto& service : postfix.services()) {
        // What is on loopback brings back what has been counted already.
        if (service.command != "smtpd" || service.is_on_loopback()) continue;
        const std::string now = postfix.value(service, "smtpd_recipient_restrictions");
        if (now.empty() || now.find(kPolicy) != std::string::npos) continue;
        all.push_back(service.text() +
                      "/smtpd_recipient_restrictions=" + joined_with(kPolicy, now));
    }
    return all;
}

base::Result<std::string> with_settings(const std::string& main, const std::string& master,
                                        bool is_master, const Assignments& settings) {
    if (settings.empty()) return is_master ? master : main;
    const Copy copy(main, master);
    std::vector<std::string> words;
    if (is_master) words.emplace_back("-P");
    words.emplace_back("-e");
    words.insert(words.end(), settings.begin(), settings.end());
    const auto written = copy.ask(words);
    if (!written) return written.error();
    return read_file(copy.file(is_master ? "master.cf" : "main.cf"));
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

}  // namespace app
