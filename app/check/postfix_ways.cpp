#include "app/check/postfix_ways.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

namespace app {
namespace {

using smtp_bridge::Endpoint;
using smtp_bridge::Protocol;

/// `unix:private/packetboat`, `inet:[127.0.0.1]:2424`, `[127.0.0.1]:2424`: a next hop of
/// transport(5). Nothing: it goes by a name that only the DNS knows the meaning of.
std::optional<Endpoint> endpoint_of(std::string hop, const std::string& queue_directory) {
    if (hop.starts_with("unix:")) {
        hop = "unix:" + queue_directory + (hop[5] == '/' ? "" : "/") + hop.substr(5);
    } else {
        if (hop.starts_with("inet:")) hop.erase(0, 5);
        // IPv6 keeps its brackets.
        const std::size_t end = hop.find("]:");
        if (hop.starts_with('[') && end != std::string::npos &&
            hop.substr(0, end).find(':') == std::string::npos)
            hop = hop.substr(1, end - 1) + hop.substr(end + 1);
    }
    auto parsed = Endpoint::parse(hop);
    if (!parsed) return std::nullopt;
    return std::move(*parsed);
}

bool is_anywhere(const std::string& host) {
    return host == "0.0.0.0" || host == "::";
}

/// Where Postfix can ask a policy service (postconf(5)).
constexpr std::array<const char*, 7> kRestrictions{
    "smtpd_client_restrictions",     "smtpd_helo_restrictions",      "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",      "smtpd_recipient_restrictions", "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions"};

/// Whether what goes to `hop` comes to who listens at `listen`.
bool meets(const Endpoint& hop, const Endpoint& listen) {
    if (hop == listen) return true;
    return !hop.is_unix() && !listen.is_unix() && hop.port() == listen.port() &&
           is_anywhere(listen.host());
}

/// Whether `text` has `name` in it, and not the beginning of a longer one.
bool names(const std::string& text, const std::string& name) {
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
        const std::size_t end = at + name.size();
        const char behind = end < text.size() ? text[end] : ' ';
        const bool goes_on = (behind >= '0' && behind <= '9') || (behind >= 'a' && behind <= 'z') ||
                             behind == '.' || behind == '-' || behind == '_' || behind == '/';
        if (!goes_on || name.ends_with(':')) return true;
    }
    return false;
}

class Ways {
  public:
    Ways(const Config& config, const PostfixConfig& postfix,
         const std::vector<std::string>& table_types)
        : config_(config),
          postfix_(postfix),
          table_types_(table_types),
          tables_(split_postfix_list(postfix.main_value("transport_maps"))) {}

    std::vector<std::string> look() && {
        look_at_tables();
        if (config_.route_table && (asks_table() || !asks_lookup()))
            look_at_answer("route-table", config_.route_table->answer);
        if (config_.route_lookup && asks_lookup())
            look_at_answer("route-lookup", config_.route_lookup->answer);
        look_at_policy_service();
        look_at_hand_over();
        return std::move(faults_);
    }

  private:
    /// As Postfix writes it: without the end that it adds.
    std::string table() const {
        auto file = config_.route_table->file;
        if (file.extension() == ".lmdb") file.replace_extension();
        return "lmdb:" + file.string();
    }

    /// Whether some table of transport_maps, alone or within another, has this in its name.
    bool has_table(const std::string& name) const {
        return std::ranges::any_of(tables_,
                                   [&](const std::string& each) { return names(each, name); });
    }

    bool asks_table() const { return config_.route_table && has_table(table()); }

    bool asks_lookup() const {
        if (!config_.route_lookup) return false;
        const auto spelt = spellings(config_.route_lookup->server.endpoint);
        return std::ranges::any_of(spelt, [this](const std::string& each) {
            return has_table("socketmap:" + each + ":");
        });
    }

    /// As Postfix's configuration may have it: paths below the queue's folder without it, too.
    std::vector<std::string> spellings(const Endpoint& at) const {
        const std::string folder = postfix_.main_value("queue_directory") + "/";
        if (!at.is_unix()) {
            const std::string port = ":" + std::to_string(at.port());
            const std::string host = is_anywhere(at.host()) ? "127.0.0.1" : at.host();
            return {"inet:" + host + port, "inet:[" + host + "]" + port, "inet:localhost" + port};
        }
        std::vector<std::string> all{"unix:" + at.path()};
        if (at.path().starts_with(folder)) {
            all.push_back("unix:" + at.path().substr(folder.size()));
            all.push_back("unix:/" + at.path().substr(folder.size()));
        }
        return all;
    }

    void look_at_tables() {
        if (!config_.route_table && !config_.route_lookup) return;
        const bool has_lmdb =
            std::ranges::find(table_types_, std::string("lmdb")) != table_types_.end();
        if (config_.route_table && !asks_lookup() && !has_lmdb) {
            faults_.emplace_back(
                "Postfix: it can't read lmdb tables, and puts off all mail if it has one: apt "
                "install "
                "postfix-lmdb");
        }
        if (asks_table() || asks_lookup()) return;
        const std::string wanted =
            config_.route_table
                ? table()
                : "socketmap:inet:" + config_.route_lookup->server.endpoint.to_text() + ":route";
        const std::string has = postfix_.main_value("transport_maps");
        faults_.push_back(
            fmt::format("Postfix: transport_maps is \"{}\", so no mail goes out over XMPP: add {} "
                        "(examples/postfix/main.cf), and postfix reload",
                        base::printable(has, 200), wanted));
    }

    /// Postfix brings mail where `answer` says, which has to be where we take it.
    void look_at_answer(const char* section, const std::string& answer) {
        const std::size_t colon = answer.find(':');
        const std::string transport = answer.substr(0, colon);
        const auto hop = endpoint_of(colon == std::string::npos ? "" : answer.substr(colon + 1),
                                     postfix_.main_value("queue_directory"));
        if (!hop) return;
        const auto intake = std::ranges::find_if(config_.intakes, [&](const auto& each) {
            // Where Postfix is not in its chroot, an absolute path is one of the host.
            return meets(*hop, each.endpoint) ||
                   (each.endpoint.is_unix() && answer.ends_with(":unix:" + each.endpoint.path()));
        });
        if (intake == config_.intakes.end()) {
            // Another host's, perhaps: not ours to know.
            if (!hop->is_local()) return;
            faults_.push_back(
                fmt::format("[{}]: answer is {}, and no [intake] listens there: mail for peers "
                            "would wait in Postfix",
                            section, answer));
            return;
        }
        const auto* const service = postfix_.find(transport, "unix");
        if (service == nullptr) {
            faults_.push_back(fmt::format("[{}]: answer is {}, and master.cf has no transport {}",
                                          section, answer, transport));
        } else if ((service->command == "lmtp") != (intake->protocol == Protocol::lmtp)) {
            faults_.push_back(fmt::format("[{}]: answer is {}, and [intake {}] speaks {}", section,
                                          answer, intake->name, to_text(intake->protocol)));
        }
    }

    void look_at_policy_service() {
        // Where Postfix asks for each recipient it need not tell us of them.
        if (!config_.policy_service || asks_lookup()) return;
        const Endpoint& at = config_.policy_service->endpoint;
        // What a class has is not looked at, and it may be there.
        if (!postfix_.main_value("smtpd_restriction_classes").empty()) return;
        const auto spelt = spellings(at);
        const auto asks = [&](const PostfixService& service) {
            return service.command == "smtpd" &&
                   std::ranges::any_of(kRestrictions, [&](const char* list) {
                       const std::string all = postfix_.value(service, list);
                       return std::ranges::any_of(
                           spelt, [&](const std::string& each) { return names(all, each); });
                   });
        };
        if (std::ranges::any_of(postfix_.services(), asks)) return;
        faults_.push_back(fmt::format(
            "Postfix: it does not ask [policy-service] at {}: domains that take mail over XMPP are "
            "found only when they write first (packetboat_policy in examples/postfix/main.cf)",
            at.to_text()));
    }

    /// The service of master.cf that is meant, if this Postfix is.
    const PostfixService* service_at(const smtp_bridge::Target& target) const {
        if (target.endpoint.is_unix() || !target.endpoint.is_local()) return nullptr;
        const auto found =
            std::ranges::find_if(postfix_.services(), [&](const PostfixService& service) {
                return service.has_port(target.endpoint.port());
            });
        return found == postfix_.services().end() ? nullptr : &*found;
    }

    void look_at_hand_over() {
        for (const auto& target : config_.return_to) {
            const auto* const service = service_at(target);
            if (service == nullptr) continue;
            const std::string filter = postfix_.value(*service, "content_filter");
            // That of all mail brings it back here, from where it goes by transport_maps.
            if (!filter.empty() && filter != postfix_.main_value("content_filter")) continue;
            faults_.push_back(fmt::format(
                "Postfix: what we return to SMTP at {} goes by transport_maps, and comes round "
                "again: give it the content_filter of examples/postfix/master.cf{}",
                service->text(), is_for_strangers(target) ? "; it is deliver-to, too" : ""));
        }
        for (const auto& [domain, targets] : config_.deliver_to) {
            for (const auto& target : targets)
                look_at_deliver_to(target);
        }
    }

    bool is_for_strangers(const smtp_bridge::Target& target) const {
        return std::ranges::any_of(config_.deliver_to, [&](const auto& each) {
            return std::ranges::any_of(
                each.second, [&](const auto& other) { return other.endpoint == target.endpoint; });
        });
    }

    void look_at_deliver_to(const smtp_bridge::Target& target) {
        const auto* const service = service_at(target);
        if (service == nullptr) return;
        const std::string filter = postfix_.value(*service, "content_filter");
        if (filter != "smtp:") return;
        faults_.push_back(
            fmt::format("Postfix: what we deliver at {} goes out again by SMTP (content_filter = "
                        "{}): are deliver-to and return-to swapped?",
                        service->text(), filter));
    }

    const Config& config_;
    const PostfixConfig& postfix_;
    const std::vector<std::string>& table_types_;
    std::vector<std::string> tables_;
    std::vector<std::string> faults_;
};

}  // namespace

std::vector<std::string> faults_of_ways(const Config& config, const PostfixConfig& postfix,
                                        const std::vector<std::string>& table_types) {
    return Ways(config, postfix, table_types).look();
}

}  // namespace app
