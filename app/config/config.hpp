// Config: everything the configuration file says, checked and in the types of the rooms that use
// it.
#pragma once

#include "app/config/complaint_section.hpp"
#include "app/config/list_sections.hpp"
#include "app/config/sections.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "component/discovery/discovery.hpp"
#include "component/incoming/class_rules.hpp"
#include "component/stream/link.hpp"
#include "queue/destination.hpp"
#include "queue/promise_terms.hpp"
#include "queue/sender_limits.hpp"
#include "queue/store_settings.hpp"
#include "smtp-bridge/client/smtp_courier.hpp"
#include "smtp-bridge/lookup/closed_lane.hpp"
#include "smtp-bridge/lookup/lookup_server.hpp"
#include "smtp-bridge/server/listener_settings.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace app {

struct Config {
    std::filesystem::path file;
    Overrides overrides;  ///< that it was read with
    /// What was said: `[kind name] key` -> the text of its value, which may be a secret.
    std::map<std::string, std::string> said;
    std::set<std::filesystem::path> secrets;         ///< files that hold one, this one perhaps
    std::set<std::filesystem::path> unread_secrets;  ///< of these, what could not be read
    std::filesystem::path control_socket;
    std::string hostname;
    std::string authserv_id;  ///< `hostname` unless the file has another
    base::log::Level log_level = base::log::Level::info;
    base::log::Format log_format = base::log::Format::text;
    queue::StoreSettings store;
    std::chrono::milliseconds warn_after{};
    std::vector<component::ComponentSettings> components;  ///< at least one
    std::vector<smtp_bridge::ListenerSettings> intakes;    ///< at least one
    smtp_bridge::DeliveryTargets deliver_to;
    std::vector<smtp_bridge::Target> return_to;  ///< may be empty
    smtp_bridge::TlsContext client_tls;          ///< for targets with +tls
    bool check_recipients = true;
    queue::LanePolicy lanes;
    queue::SenderLimits senders;
    ComplaintConfig complaints;
    std::vector<ListFile> lists;
    std::vector<component::DnsListSettings> dns_lists;
    component::ClassRules classes;
    std::map<std::string, queue::PromiseTerms> promises;  ///< of ours, by component
    struct RouteLookup {
        smtp_bridge::LookupServerSettings server;
        std::string answer;
    };
    std::optional<RouteLookup> route_lookup;
    struct RouteTable {
        std::filesystem::path file;
        std::string answer;
    };
    std::optional<RouteTable> route_table;
    std::optional<smtp_bridge::LookupServerSettings> policy_service;
    smtp_bridge::ClosedLaneSettings closed_lane;
    std::optional<std::filesystem::path> promised_domains;  ///< a list of them, for filters
    component::DiscoverySettings discovery;
};

/// Who serves needs the components' secrets. Other commands do not, and systemd may have given one
/// to the service alone (LoadCredential): then it is empty.
enum class SecretPolicy { needed, if_readable };

/// Reads and checks `file`. The error names file and line, and says what is wrong.
base::Result<Config> load_config(const std::filesystem::path& file, const Overrides& overrides,
                                 SecretPolicy secrets = SecretPolicy::needed);

/// Which component serves which domain, for intake and for reports.
queue::Router make_router(const Config& config);

}  // namespace app
