#include "app/check/check_postfix.hpp"

#include "app/check/postfix_ways.hpp"
#include "app/servers/postfix_config.hpp"
#include "app/servers/program.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

namespace app {
namespace {

constexpr const char* kPostmap = "/usr/sbin/postmap";

using Targets = std::vector<smtp_bridge::Target>;

/// Spellings of a forged field: one that a rule for the usual spelling would pass is in it.
std::vector<std::string> forged_fields(const std::string& authserv_id) {
    const std::string rest = "x-xmpp-s2s=pass policy.assurance=pkix policy.from-aligned=strict";
    return {
        "Authentication-Results: " + authserv_id + "; " + rest,
        "AUTHENTICATION-RESULTS:\n\t\"" + authserv_id + "\";\n \n X-XMPP-S2S=pass",
        "Authentication-Results: other.example; spf=none; " + rest,
        "Authentication-Results: =?us-ascii?q?" + authserv_id + "=3B_x-xmpp=2Ds2s=3Dpass?=",
    };
}

std::string one_line(const std::string& output) {
    return base::printable(base::trim(output), base::limits::kStatusText);
}

base::Result<PostfixConfig> read_postfix() {
    const auto services = output_of({kPostconf, "-M"});
    if (!services) return services.error();
    const auto overrides = output_of({kPostconf, "-P", "-x"});
    if (!overrides) return overrides.error();
    const auto main = output_of(
        {kPostconf, "-x", "cleanup_service_name", "content_filter", "header_checks",
         "milter_macro_daemon_name", "nested_header_checks", "queue_directory",
         "receive_override_options", "smtpd_milters", "smtpd_restriction_classes",
         "smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions",
         "smtpd_relay_restrictions", "smtpd_recipient_restrictions", "smtpd_data_restrictions",
         "smtpd_end_of_data_restrictions", "transport_maps"});
    if (!main) return main.error();
    return PostfixConfig(*services, *overrides, *main);
}

/// One look at this machine's Postfix.
class PostfixCheck {
  public:
    PostfixCheck(Findings& findings, const Config& config, const PostfixConfig& postfix)
        : findings_(findings), config_(config), postfix_(postfix) {}

    void run() {
        std::string good;
        for (const auto& service : postfix_.services()) {
            if (is_ours(service, config_.return_to)) continue;
            const bool hand_over =
                std::any_of(config_.deliver_to.begin(), config_.deliver_to.end(),
                            [&](const auto& domain) { return is_ours(service, domain.second); });
            if (hand_over) {
                check_hand_over(service);
            } else if (is_way_in(service) && check_way_in(service)) {
                good += " " + service.text();
            }
        }
        if (good.empty()) return;
        findings_.add(true,
                      "Postfix removes forged x-xmpp-s2s results from what comes in by" + good);
    }

  private:
    static bool is_ours(const PostfixService& service, const Targets& targets) {
        return std::any_of(targets.begin(), targets.end(), [&](const auto& target) {
            return !target.endpoint.is_unix() && service.has_port(target.endpoint.port());
        });
    }

    /// Strangers and users get there. On loopback, content filters bring back what was looked at.
    static bool is_way_in(const PostfixService& service) {
        const bool takes_mail =
            service.command == "smtpd" || service.command == "pickup" || service.command == "qmqpd";
        return takes_mail && !service.is_on_loopback();
    }

    /// The tables that the mail of this service meets. `parameter`: header_checks or one like it.
    std::vector<std::string> tables(const PostfixService& service,
                                    const std::string& parameter) const {
        const std::string options = postfix_.value(service, "receive_override_options");
        if (options.find("no_header_body_checks") != std::string::npos) return {};
        const auto* const cleanup =
            postfix_.find(postfix_.value(service, "cleanup_service_name"), "unix");
        if (cleanup == nullptr) return {};
        return split_postfix_list(postfix_.value(*cleanup, parameter));
    }

    /// Does the first table that knows the field remove it, or its mail? Nothing: that can't be
    /// told, and has been said.
    std::optional<bool> is_removed(const std::vector<std::string>& tables,
                                   const std::string& field) {
        static constexpr std::array<std::string_view, 4> kRemoves{"IGNORE", "STRIP", "REJECT",
                                                                  "DISCARD"};
        for (const auto& table : tables) {
            auto answer = run_program({kPostmap, "-q", field, table});
            if (answer) answer->output = without_warnings(answer->output);
            if (!answer || (answer->status != 0 && !answer->output.empty())) {
                findings_.add(false,
                              fmt::format("Postfix: {} can't be looked at: {}", table,
                                          answer ? one_line(answer->output) : answer.error().text));
                return std::nullopt;
            }
            const auto words = base::split(answer->output, " \t\r\n");
            if (answer->status != 0 || words.empty() || base::iequals(words[0], "DUNNO")) continue;
            return std::any_of(kRemoves.begin(), kRemoves.end(),
                               [&](auto verb) { return base::iequals(verb, words[0]); });
        }
        return false;
    }

    bool check_way_in(const PostfixService& service) {
        for (const auto& field : forged_fields(config_.authserv_id)) {
            const auto removed = is_removed(tables(service, "header_checks"), field);
            if (!removed) return false;
            if (*removed) continue;
            findings_.add(false,
                          fmt::format("Postfix: whoever sends mail to {} can write what only "
                                      "Packetboat may say in Authentication-Results; add "
                                      "header_checks as in examples/postfix/main.cf",
                                      service.text()));
            return false;
        }
        const auto nested = is_removed(tables(service, "nested_header_checks"),
                                       forged_fields(config_.authserv_id).front());
        if (nested && *nested) {
            findings_.add(false, fmt::format("Postfix: {} takes the field from attached mails, "
                                             "too; set nested_header_checks",
                                             service.text()));
        }
        return nested && !*nested;
    }

    void check_hand_over(const PostfixService& service) {
        const auto removed = is_removed(tables(service, "header_checks"),
                                        forged_fields(config_.authserv_id).front());
        if (removed && *removed) {
            findings_.add(false,
                          fmt::format("Postfix: {} removes Packetboat's own Authentication-Results "
                                      "field; give it the cleanup_service_name of "
                                      "examples/postfix/master.cf",
                                      service.text()));
        }
        const std::string filters = postfix_.value(service, "smtpd_milters");
        if (filters.empty()) return;
        // They would see a mail from 127.0.0.1, as one of our own users.
        const std::string own_name = "milter_macro_daemon_name";
        if (postfix_.value(service, own_name) == postfix_.main_value(own_name)) {
            findings_.add(false, fmt::format("Postfix: filters take mail at {} for mail of this "
                                             "machine's users; give it a {} of its own",
                                             service.text(), own_name));
        }
        if (filters.find("opendkim") != std::string::npos &&
            filters.find("packetboat") == std::string::npos) {
            findings_.add(false, fmt::format("Postfix: OpenDKIM signs strangers' mail at {} if it "
                                             "is from one of its domains; give it smtpd_milters "
                                             "of its own (examples/opendkim)",
                                             service.text()));
        }
    }

    Findings& findings_;
    const Config& config_;
    const PostfixConfig& postfix_;
};

}  // namespace

void check_postfix(Findings& findings, const Config& config) {
    std::error_code error;
    if (!std::filesystem::exists(kPostconf, error))
        return findings.add(true, fmt::format("Postfix: not looked at, there is no {}", kPostconf));
    const auto postfix = read_postfix();
    if (!postfix) return findings.add(false, "Postfix: " + postfix.error().text);
    PostfixCheck(findings, config, *postfix).run();
    const auto types = output_of({kPostconf, "-m"});
    if (!types) return findings.add(false, "Postfix: " + types.error().text);
    std::vector<std::string> known;
    for (const auto type : base::split(*types, " \t\r\n"))
        known.emplace_back(type);
    const auto faults = faults_of_ways(config, *postfix, known);
    for (const auto& fault : faults)
        findings.add(false, fault);
    if (faults.empty()) findings.add(true, "Postfix and Packetboat pass mail to each other");
}

}  // namespace app
