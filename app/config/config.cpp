#include "app/config/config.hpp"

#include "app/config/class_sections.hpp"
#include "app/config/closed_lane_keys.hpp"
#include "app/config/grammar.hpp"
#include "app/config/promise_section.hpp"
#include "app/config/sender_sections.hpp"
#include "app/config/values.hpp"
#include "base/limits.hpp"
#include "component/xml/jid.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include <fmt/format.h>

namespace app {
namespace {

using base::Errc;

constexpr auto kLongestExpiry = base::limits::kRetention - std::chrono::hours(24);
constexpr auto kLongestPositive = std::chrono::hours(24);  // protocol, Discovery

/// Turns sections into a Config; the first thing that is wrong ends it, as an exception inside this
/// file.
class Builder {
  public:
    Builder(const std::filesystem::path& file, const Overrides& overrides, SecretPolicy secrets)
        : secrets_(secrets) {
        config_.file = file;
        config_.overrides = overrides;
    }

    Config build(const std::vector<Section>& sections) {
        for (const Section& section : sections) {
            add(section);
            const std::string name = section.name.empty() ? "" : " " + section.name;
            for (const auto& [key, text] : section.texts)
                config_.said[fmt::format("[{}{}] {}", section.kind, name, key)] = text;
        }
        if (config_.components.empty()) fail("there is no [component ...] section");
        if (config_.intakes.empty()) fail("there is no [intake ...] section");
        if (!has_hand_over_) fail("there is no [hand-over] section");
        if (config_.hostname.empty()) fail("there is no [daemon] section");
        finish_intakes();
        finish_hand_over();
        std::map<mail::Domain, queue::LaneRule> rules;
        for (const auto& [domain, section] : sections_of_domains_)
            rules[domain] = rule(section, usual_rule_);
        config_.lanes = queue::LanePolicy(usual_rule_, std::move(rules));
        finish_promise();
        config_.senders = senders_.limits();
        config_.lists = lists_.files();
        config_.dns_lists = lists_.dns();
        config_.classes = classes_.rules();
        config_.store.hostname = config_.hostname;
        config_.store.disk_reserve = base::limits::kDiskReserve;
        return std::move(config_);
    }

  private:
    [[noreturn]] void fail(const std::string& what) const {
        throw std::runtime_error(config_.file.string() + ": " + what);
    }
    [[noreturn]] void fail(const Section& section, const char* key, const std::string& what) const {
        throw std::runtime_error(section.where(config_.file, key) + what);
    }
    template <class T>
    T checked(const Section& section, const char* key, base::Result<T> result) const {
        if (!result) fail(section, key, std::string(key) + ": " + result.error().text);
        return std::move(*result);
    }
    template <class T>
    T one_of(const Section& section, const char* key, const std::map<std::string, T>& words) const {
        const std::string& word = section.get<Text>(key).value;
        const auto found = words.find(word);
        if (found != words.end()) return found->second;
        std::string all;
        for (const auto& [each, value] : words)
            all += (all.empty() ? "" : ", ") + each;
        fail(section, key, "\"" + word + "\" is no good value for " + key + ": one of " + all);
    }

    void finish_intakes() {
        const bool secure = std::ranges::all_of(
            config_.components, [](const auto& component) { return component.keeps_tls(); });
        for (auto& intake : config_.intakes) {
            intake.hostname = config_.hostname;
            intake.requiretls = intake.tls && secure;
            // Mail would go round for ever, or strangers' mail would leave by SMTP.
            for (const auto& [domain, targets] : config_.deliver_to)
                refuse_ourselves("deliver-to", targets, intake);
            refuse_ourselves("return-to", config_.return_to, intake);
        }
    }

    void refuse_ourselves(const char* key, const std::vector<smtp_bridge::Target>& targets,
                          const smtp_bridge::ListenerSettings& intake) const {
        for (const auto& target : targets) {
            if (target.endpoint == intake.endpoint)
                fail(std::string(key) + " is our own [intake " + intake.name + "]");
        }
    }

    void finish_hand_over() {
        bool keeps_tls = true;
        for (const auto& [domain, targets] : config_.deliver_to) {
            if (!domain.empty() && !domains_.contains(domain))
                fail("[domain " + domain + "]: deliver-to is for domains that a component serves");
            for (const auto& target : targets) {
                const bool lmtp = target.protocol == smtp_bridge::Protocol::lmtp;
                keeps_tls = keeps_tls && (target.tls || (lmtp && target.is_private()));
                for (const auto& back : config_.return_to) {
                    if (back.endpoint == target.endpoint)
                        fail("return-to and deliver-to are the same");
                }
            }
        }
        for (auto& component : config_.components) {
            component.requiretls = keeps_tls && component.keeps_tls();
            component.takes_complaints = config_.complaints.which.take;
        }
    }

    void add(const Section& section) {
        if (section.kind == "daemon") add_daemon(section);
        if (section.kind == "queue") add_queue(section);
        if (section.kind == "component") add_component(section);
        if (section.kind == "intake") add_intake(section);
        if (section.kind == "hand-over") add_hand_over(section);
        if (section.kind == "route-lookup") add_route_lookup(section);
        if (section.kind == "route-table") add_route_table(section);
        if (section.kind == "policy-service") add_policy_service(section);
        if (section.kind == "domain") add_domain(section);
        if (section.kind == "senders" || section.kind == "sender") add_senders(section);
        if (section.kind == "complaints") add_complaints(section);
        if (section.kind == "lists" || section.kind == "dns-list") add_lists(section);
        if (section.kind == "class") add_class(section);
        if (section.kind == "promise" && section.line > 0) promise_ = section;
        if (section.kind == "discovery") add_discovery(section);
    }

    void add_daemon(const Section& section) {
        using base::log::Format;
        using base::log::Level;
        config_.store.directory = section.get<Text>("state-directory").value;
        config_.control_socket = section.get<Text>("control-socket").value;
        config_.log_level = one_of<Level>(section, "log-level",
                                          {{"debug", Level::debug},
                                           {"info", Level::info},
                                           {"warning", Level::warning},
                                           {"error", Level::error}});
        config_.log_format =
            one_of<Format>(section, "log-format", {{"text", Format::text}, {"json", Format::json}});
        if (!section.has("hostname")) return;
        const auto host =
            checked(section, "hostname", mail::Domain::parse(section.get<Text>("hostname").value));
        config_.hostname = host.ascii();
        config_.authserv_id = config_.hostname;
        if (!section.has("authserv-id")) return;
        const auto id = checked(section, "authserv-id",
                                mail::Domain::parse(section.get<Text>("authserv-id").value));
        config_.authserv_id = id.ascii();
    }

    void add_queue(const Section& section) {
        config_.store.retry = {section.get<Duration>("first-retry").value,
                               section.get<Duration>("max-retry").value};
        if (config_.store.retry.most < config_.store.retry.first)
            fail(section, "max-retry", "max-retry is shorter than first-retry");
        config_.store.expire_after = section.get<Duration>("expire-after").value;
        if (config_.store.expire_after > kLongestExpiry)
            fail(section, "expire-after",
                 "expire-after: at most 6d, as peers remember a mail for 7d");
        config_.store.delay_warning = section.get<Duration>("delay-warning").value;
        config_.store.peer_quota.messages =
            static_cast<std::int64_t>(section.get<Size>("peer-messages").value);
        config_.store.peer_quota.bytes =
            static_cast<std::int64_t>(section.get<Size>("peer-bytes").value);
        config_.store.history = section.get<Duration>("history").value;
        config_.warn_after = section.get<Duration>("warn-after").value;
        usual_rule_ = rule(section, {});
    }

    /// `usual`: what holds where the section says nothing.
    queue::LaneRule rule(const Section& section, queue::LaneRule usual) const {
        if (section.has("policy"))
            usual.required =
                one_of<bool>(section, "policy", {{"prefer", false}, {"require", true}});
        if (section.has("fallback-after"))
            usual.fallback_after = section.get<Duration>("fallback-after").value;
        return usual;
    }

    void add_component(const Section& section) {
        using component::Assurance;
        using component::Compress;
        component::ComponentSettings settings;
        const auto jid = component::Jid::parse(section.name);
        if (!jid || !mail::Domain::parse(section.name))
            fail(section, "", "[component " + section.name + "]: not the name of a component");
        settings.jid = jid->domain();
        for (const auto& other : config_.components) {
            if (other.jid == settings.jid)
                fail(section, "", "[component " + settings.jid + "] stands here a second time");
        }
        const auto server =
            checked(section, "server",
                    smtp_bridge::Endpoint::parse_remote(section.get<Text>("server").value));
        if (server.is_unix()) fail(section, "server", "server: has to be HOST:PORT");
        settings.host = server.host();
        settings.port = server.port();
        settings.private_link = server.is_local();
        settings.secret = secret_of(section);
        for (const std::string& word : section.get<Words>("domains").value) {
            auto domain = checked(section, "domains", mail::Domain::parse(word));
            if (!domains_.insert(domain.ascii()).second)
                fail(section, "domains", domain.ascii() + " is served twice");
            settings.domains.push_back(std::move(domain));
        }
        settings.max_stanza = section.get<Size>("max-stanza").value;
        if (settings.max_stanza < base::limits::kStanzaUnknown ||
            settings.max_stanza > base::limits::kStanza)
            fail(section, "max-stanza", "max-stanza has to be between 10000 and 1048576 bytes");
        settings.max_size = section.get<Size>("max-size").value;
        settings.assurance = one_of<Assurance>(section, "s2s-assurance",
                                               {{"pkix", Assurance::pkix},
                                                {"dialback", Assurance::dialback},
                                                {"none", Assurance::none}});
        settings.compress = one_of<Compress>(
            section, "compress",
            {{"batch", Compress::batch}, {"each", Compress::each}, {"none", Compress::none}});
        config_.components.push_back(std::move(settings));
    }

    std::string secret_of(const Section& section) {
        if (section.has("secret") == section.has("secret-file"))
            fail(section, "secret",
                 "[component " + section.name + "] needs either secret or secret-file");
        if (section.has("secret")) {
            config_.secrets.insert(config_.file);
            return section.get<Text>("secret").value;
        }
        const std::string path = section.get<Text>("secret-file").value;
        config_.secrets.insert(path);
        std::error_code error;
        std::ifstream in;
        if (std::filesystem::is_regular_file(path, error)) in.open(path);
        std::string secret;
        std::getline(in, secret);
        const bool is_read = in && !secret.empty();
        if (!is_read && secrets_ == SecretPolicy::if_readable) {
            config_.unread_secrets.insert(path);
            return "";
        }
        if (!is_read) fail(section, "secret-file", "secret-file: can't read a secret from " + path);
        return secret;
    }

    void add_intake(const Section& section) {
        using smtp_bridge::Protocol;
        smtp_bridge::ListenerSettings settings;
        settings.name = section.name;
        settings.endpoint = checked(
            section, "listen", smtp_bridge::Endpoint::parse(section.get<Text>("listen").value));
        settings.protocol = one_of<Protocol>(section, "protocol",
                                             {{"lmtp", Protocol::lmtp}, {"smtp", Protocol::smtp}});
        for (const std::string& word : section.get<Words>("networks").value)
            settings.networks.push_back(
                checked(section, "networks", smtp_bridge::Network::parse(word)));
        settings.max_size = section.get<Size>("max-size").value;
        if (section.has("trusted-networks")) {
            for (const std::string& word : section.get<Words>("trusted-networks").value)
                settings.trusted.push_back(
                    checked(section, "trusted-networks", smtp_bridge::Network::parse(word)));
        }
        settings.client_connections = section.get<Size>("client-connections").value;
        if (section.has("client-rate"))
            settings.client_rate = section.get<Size>("client-rate").value;
        if (section.has("tls-certificate") != section.has("tls-key"))
            fail(section, "tls-certificate", "tls-certificate and tls-key go together");
        if (section.has("tls-key")) config_.secrets.insert(section.get<Text>("tls-key").value);
        if (section.has("tls-key"))
            settings.tls =
                checked(section, "tls-certificate",
                        smtp_bridge::server_tls(section.get<Text>("tls-certificate").value,
                                                section.get<Text>("tls-key").value));
        config_.intakes.push_back(std::move(settings));
    }

    void add_hand_over(const Section& section) {
        if (section.line == 0) return;
        has_hand_over_ = true;
        config_.deliver_to[""] = targets(section, "deliver-to");
        if (section.has("return-to")) config_.return_to = targets(section, "return-to");
        config_.check_recipients = section.get<Switch>("check-recipients").value;
        config_.store.content_refusals =
            checked(section, "content-refusal",
                    queue::ContentRefusals::parse(section.get<Text>("content-refusal").value));
        std::optional<std::filesystem::path> authorities;
        if (section.has("tls-ca")) authorities = section.get<Text>("tls-ca").value;
        config_.client_tls = checked(section, "tls-ca", smtp_bridge::client_tls(authorities));
    }

    std::vector<smtp_bridge::Target> targets(const Section& section, const char* key) const {
        std::vector<smtp_bridge::Target> targets;
        for (const std::string& word : section.get<Words>(key).value)
            targets.push_back(checked(section, key, smtp_bridge::Target::parse(word)));
        return targets;
    }

    void add_domain(const Section& section) {
        const auto domain = mail::Domain::parse(section.name);
        if (!domain || domain->is_address_literal())
            fail(section, "", "[domain " + section.name + "]: not a domain");
        if (section.has("deliver-to"))
            config_.deliver_to[domain->ascii()] = targets(section, "deliver-to");
        // In another spelling, perhaps.
        if (!sections_of_domains_.emplace(*domain, section).second)
            fail(section, "", "[domain " + section.name + "] stands here a second time");
    }

    smtp_bridge::LookupServerSettings lookup_server(const Section& section) const {
        smtp_bridge::LookupServerSettings settings{
            section.kind, checked(section, "listen",
                                  smtp_bridge::Endpoint::parse(section.get<Text>("listen").value))};
        return settings;
    }

    void add_route_lookup(const Section& section) {
        if (section.line == 0) return;
        config_.route_lookup = {lookup_server(section), section.get<Text>("answer").value};
    }

    void add_policy_service(const Section& section) {
        if (section.line == 0) return;
        config_.policy_service = lookup_server(section);
        if (auto fault = read_closed_lane(section, config_.closed_lane))
            fail(section, fault->key, fault->what);
        if (section.has("mark-token")) config_.secrets.insert(config_.file);
        if (section.has("promised-domains"))
            config_.promised_domains = section.get<Text>("promised-domains").value;
    }

    void add_route_table(const Section& section) {
        if (section.line == 0) return;
        config_.route_table = {section.get<Text>("file").value, section.get<Text>("answer").value};
        if (config_.route_table->file.extension() != ".lmdb")
            fail(section, "file", "file: Postfix finds it only if it ends in .lmdb");
    }

    void add_senders(const Section& section) {
        if (const auto fault = senders_.add(section)) fail(section, fault->key, fault->what);
    }

    void add_complaints(const Section& section) {
        auto complaints = read_complaints(section);
        if (!complaints) {
            const std::string& what = complaints.error().text;
            fail(section, what.substr(0, what.find(':')).c_str(), what);
        }
        config_.complaints = std::move(*complaints);
        config_.store.complaints = config_.complaints.which;
    }

    void add_lists(const Section& section) {
        if (const auto fault = lists_.add(section)) fail(section, fault->key, fault->what);
    }

    void add_class(const Section& section) {
        if (const auto fault = classes_.add(section)) fail(section, fault->key, fault->what);
    }

    /// Once all components are known.
    void finish_promise() {
        if (!promise_) return;
        if (const auto fault = read_promise(*promise_, config_.components, config_.promises))
            fail(*promise_, fault->key, fault->what);
        for (const auto& [domain, section] : sections_of_domains_) {
            if (const auto fault = breaks_promise(section)) fail(section, fault->key, fault->what);
        }
    }

    void add_discovery(const Section& section) {
        using std::chrono::seconds;
        const auto time = [&](const char* key) {
            return std::chrono::ceil<seconds>(section.get<Duration>(key).value);
        };
        if (section.has("resolver"))
            config_.discovery.resolver = section.get<Text>("resolver").value;
        config_.discovery.positive_ttl = time("positive-ttl");
        config_.discovery.negative_ttl = time("negative-ttl");
        if (config_.discovery.positive_ttl > kLongestPositive)
            fail(section, "positive-ttl", "positive-ttl: at most 24h");
    }

    Config config_;
    std::set<std::string> domains_;
    queue::LaneRule usual_rule_;
    SenderSections senders_;
    ListSections lists_;
    ClassSections classes_;
    std::map<mail::Domain, Section> sections_of_domains_;
    std::optional<Section> promise_;
    bool has_hand_over_ = false;
    SecretPolicy secrets_;
};

}  // namespace

base::Result<Config> load_config(const std::filesystem::path& file, const Overrides& overrides,
                                 SecretPolicy secrets) {
    try {
        const Grammar grammar = make_grammar();
        const auto sections = read_sections(file, grammar, overrides);
        if (!sections) return sections.error();
        return Builder(file, overrides, secrets).build(*sections);
    } catch (const std::runtime_error& error) {
        return base::fail(Errc::syntax, error.what());
    } catch (const std::exception&) {
        // A running daemon reads it, too. What it says may quote a secret.
        return base::fail(Errc::syntax, file.string() + ": can't be understood");
    }
}

queue::Router make_router(const Config& config) {
    std::map<mail::Domain, std::string> served;
    std::map<std::string, mail::Domain> main_domains;
    for (const auto& component : config.components) {
        for (const auto& domain : component.domains) {
            served.emplace(domain, component.jid);
            main_domains.emplace(component.jid, domain);
        }
    }
    std::set<mail::Domain> own_hops;
    for (const auto& [domain, targets] : config.deliver_to) {
        if (!domain.empty()) own_hops.insert(*mail::Domain::parse(domain));
    }
    return queue::Router(std::move(served), config.components.front().jid, std::move(main_domains),
                         std::move(own_hops), config.lanes);
}

}  // namespace app
