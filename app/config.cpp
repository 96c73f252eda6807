#include "app/config.hpp"

#include "app/values.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "component/jid.hpp"

#include <fstream>
#include <map>
#include <set>

namespace app {
namespace {

namespace po = boost::program_options;
using base::Errc;

constexpr auto kLongestExpiry = base::limits::kRetention - std::chrono::hours(24);
constexpr auto kLongestPositive = std::chrono::hours(24);  // protocol, Discovery
constexpr const char* kDurationHelp = "a duration such as 90s, 5m, 4h or 5d";
constexpr const char* kSizeHelp = "a size such as 4096, 64K or 50M";
constexpr const char* kTextHelp = "a text";

po::typed_value<Duration>* duration(std::chrono::milliseconds value) {
    return po::value<Duration>()->default_value(Duration{value}, "");
}
po::typed_value<Size>* size(std::uint64_t value) {
    return po::value<Size>()->default_value(Size{value}, "");
}
po::typed_value<Text>* text(const char* value) {
    return po::value<Text>()->default_value(Text{value}, "");
}

Grammar make_grammar() {
    using std::chrono::hours;
    Grammar grammar;
    grammar.kinds["daemon"].options.add_options()("state-directory", text("/var/lib/packetboat"),
                                                  "a folder")(
        "control-socket", text("/run/packetboat/control.sock"), "a path")(
        "hostname", po::value<Text>()->required(), "this host's name")(
        "log-level", text("info"), "debug, info, warning or error")("log-format", text("text"),
                                                                    "text or json");
    grammar.kinds["queue"].options.add_options()("first-retry", duration(std::chrono::minutes(5)),
                                                 kDurationHelp)(
        "max-retry", duration(std::chrono::seconds(4000)), kDurationHelp)(
        "delay-warning", duration(hours(4)), kDurationHelp)("expire-after", duration(hours(24 * 5)),
                                                            kDurationHelp)(
        "peer-messages", size(static_cast<std::uint64_t>(queue::PeerQuota().messages)),
        "a number such as 100000")("peer-bytes",
                                   size(static_cast<std::uint64_t>(queue::PeerQuota().bytes)),
                                   kSizeHelp)("history", duration(hours(24 * 7)), kDurationHelp)(
        "warn-after", duration(hours(1)), kDurationHelp);
    grammar.kinds["component"].named = true;
    grammar.kinds["component"].options.add_options()("server", text("127.0.0.1:5347"), "HOST:PORT")(
        "secret", po::value<Text>(), kTextHelp)("secret-file", po::value<Text>(), "a file")(
        "domains", po::value<Words>()->required(), "mail domains with spaces between them")(
        "max-stanza", size(base::limits::kStanzaOut), kSizeHelp)(
        "max-size", size(base::limits::kMessage), kSizeHelp)(
        "s2s-assurance", text("none"), "pkix, dialback or none")("compress", text("batch"),
                                                                 "batch, each or none");
    grammar.kinds["intake"].named = true;
    grammar.kinds["intake"].options.add_options()("listen", po::value<Text>()->required(),
                                                  "ADDRESS:PORT or unix:PATH")(
        "protocol", text("lmtp"), "lmtp or smtp")(
        "networks", po::value<Words>()->default_value(Words{{"127.0.0.0/8", "::1/128"}}, ""),
        "networks such as 127.0.0.0/8")("max-size", size(base::limits::kMessage), kSizeHelp);
    grammar.kinds["hand-over"].options.add_options()(
        "deliver-to", po::value<Text>()->required(),
        "smtp:HOST:PORT, lmtp:HOST:PORT or lmtp:unix:PATH")("return-to", po::value<Text>(),
                                                            "smtp:HOST:PORT")(
        "check-recipients", po::value<Switch>()->default_value(Switch{true}, ""), "yes or no");
    grammar.kinds["route-lookup"].options.add_options()("listen", po::value<Text>()->required(),
                                                        "ADDRESS:PORT or unix:PATH")(
        "answer", po::value<Text>()->required(), "a Postfix transport and next hop");
    grammar.kinds["discovery"].options.add_options()("resolver", po::value<Text>(),
                                                     "the address of a DNS server")(
        "positive-ttl", duration(hours(24)), kDurationHelp)("negative-ttl", duration(hours(1)),
                                                            kDurationHelp);
    return grammar;
}

/// Turns sections into a Config; the first thing that is wrong ends it, as an exception inside this
/// file.
class Builder {
  public:
    explicit Builder(const std::filesystem::path& file) { config_.file = file; }

    Config build(const std::vector<Section>& sections) {
        for (const Section& section : sections)
            add(section);
        if (config_.components.empty()) fail("there is no [component ...] section");
        if (config_.intakes.empty()) fail("there is no [intake ...] section");
        if (!has_hand_over_) fail("there is no [hand-over] section");
        if (config_.hostname.empty()) fail("there is no [daemon] section");
        for (auto& intake : config_.intakes) {
            intake.hostname = config_.hostname;
            // Mail would go round for ever, or strangers' mail would leave by SMTP.
            if (intake.endpoint == config_.deliver_to.endpoint)
                fail("deliver-to is our own [intake " + intake.name + "]");
            if (config_.return_to && intake.endpoint == config_.return_to->endpoint)
                fail("return-to is our own [intake " + intake.name + "]");
        }
        if (config_.return_to && config_.return_to->endpoint == config_.deliver_to.endpoint)
            fail("return-to and deliver-to are the same");
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

    void add(const Section& section) {
        if (section.kind == "daemon") add_daemon(section);
        if (section.kind == "queue") add_queue(section);
        if (section.kind == "component") add_component(section);
        if (section.kind == "intake") add_intake(section);
        if (section.kind == "hand-over") add_hand_over(section);
        if (section.kind == "route-lookup") add_route_lookup(section);
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
    }

    void add_component(const Section& section) {
        using component::Assurance;
        using component::Compress;
        component::ComponentSettings settings;
        const auto jid = component::Jid::parse(section.name);
        if (!jid || !mail::Domain::parse(section.name))
            fail(section, "", "[component " + section.name + "]: not the name of a component");
        settings.jid = base::to_lower(section.name);
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

    std::string secret_of(const Section& section) const {
        if (section.has("secret") == section.has("secret-file"))
            fail(section, "secret",
                 "[component " + section.name + "] needs either secret or secret-file");
        if (section.has("secret")) return section.get<Text>("secret").value;
        const std::string path = section.get<Text>("secret-file").value;
        std::ifstream in(path);
        std::string secret;
        std::getline(in, secret);
        if (!in || secret.empty())
            fail(section, "secret-file", "secret-file: can't read a secret from " + path);
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
        config_.intakes.push_back(std::move(settings));
    }

    void add_hand_over(const Section& section) {
        if (section.line == 0) return;
        has_hand_over_ = true;
        config_.deliver_to = target(section, "deliver-to");
        if (section.has("return-to")) config_.return_to = target(section, "return-to");
        config_.check_recipients = section.get<Switch>("check-recipients").value;
    }

    smtp_bridge::Target target(const Section& section, const char* key) const {
        return checked(section, key, smtp_bridge::Target::parse(section.get<Text>(key).value));
    }

    void add_route_lookup(const Section& section) {
        if (section.line == 0) return;
        smtp_bridge::RouteServerSettings settings;
        settings.endpoint = checked(
            section, "listen", smtp_bridge::Endpoint::parse(section.get<Text>("listen").value));
        settings.answer = section.get<Text>("answer").value;
        config_.route_lookup = std::move(settings);
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
    bool has_hand_over_ = false;
};

}  // namespace

base::Result<Config> load_config(const std::filesystem::path& file, const Overrides& overrides) {
    const Grammar grammar = make_grammar();
    const auto sections = read_sections(file, grammar, overrides);
    if (!sections) return sections.error();
    try {
        return Builder(file).build(*sections);
    } catch (const std::runtime_error& error) {
        return base::fail(Errc::syntax, error.what());
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
    return queue::Router(std::move(served), config.components.front().jid, std::move(main_domains));
}

}  // namespace app
