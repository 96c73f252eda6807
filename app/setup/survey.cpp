#include "app/setup/survey.hpp"

#include "app/config/config.hpp"
#include "app/control_client.hpp"
#include "app/servers/program.hpp"
#include "app/setup/change.hpp"
#include "app/setup/ejabberd_edits.hpp"
#include "app/setup/packetboat_edits.hpp"
#include "app/setup/services.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "mail/domain.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace app {
namespace {

namespace fs = std::filesystem;

using Names = std::vector<std::string>;

bool exists(const fs::path& file) {
    std::error_code error;
    return fs::exists(file, error);
}

base::Error missing(const std::string& what) {
    return base::fail(base::Errc::not_found, what);
}

base::Result<XmppServer> find_xmpp() {
    const bool prosody = exists("/usr/bin/prosodyctl") && exists(kProsodyFile);
    const bool ejabberd = exists("/usr/sbin/ejabberdctl") && exists(kEjabberdFile);
    if (!prosody && !ejabberd) {
        return missing("there is no XMPP server here: neither Prosody (" +
                       std::string(kProsodyFile) + ") nor ejabberd (" + kEjabberdFile + ")");
    }
    if (prosody != ejabberd) return prosody ? XmppServer::prosody : XmppServer::ejabberd;
    if (is_active("prosody") == is_active("ejabberd")) {
        return base::fail(base::Errc::conflict,
                          "Prosody and ejabberd are both here, and it can't be told which one to "
                          "use: let one of them run alone");
    }
    return is_active("prosody") ? XmppServer::prosody : XmppServer::ejabberd;
}

/// The domains that the XMPP server is for, as it spells them.
Names hosts_of(const Survey& found) {
    Names hosts;
    if (found.prosody) hosts = found.prosody->virtual_hosts();
    if (found.ejabberd) hosts.assign(found.ejabberd->hosts.begin(), found.ejabberd->hosts.end());
    std::erase(hosts, "localhost");
    std::ranges::sort(hosts);
    return hosts;
}

/// As the XMPP server spells it: Prosody has `bücher.example`, whatever was typed.
base::Result<std::string> host_for(const Survey& found, const std::string& domain) {
    const auto wanted = mail::Domain::parse(domain);
    if (!wanted) return base::fail(base::Errc::syntax, domain + ": " + wanted.error().text);
    for (const auto& host : hosts_of(found)) {
        const auto known = mail::Domain::parse(host);
        if (known && *known == *wanted) return host;
    }
    const char* const where = found.prosody ? "no VirtualHost" : "no host";
    return missing(
        fmt::format("{} has {} \"{}\": other servers could not verify its mail; add it "
                    "there, or name another domain",
                    title_of(found.site.xmpp), where, domain));
}

base::Result<Names> choose_domains(const Survey& found, const SetupOptions& options,
                                   const std::string& known, Asker& asker) {
    Names said = options.domains;
    if (said.empty()) {
        for (const auto domain : base::split(known, " \t,")) {
            if (domain != "example.org") said.emplace_back(domain);
        }
    }
    if (said.empty()) {
        const Names hosts = hosts_of(found);
        if (hosts.empty()) {
            return missing(std::string(title_of(found.site.xmpp)) +
                           " serves no domain but localhost: it has to serve the mail domain");
        }
        const auto answer = asker.word("Which mail domain (several: with blanks between them)?",
                                       hosts.size() == 1 ? hosts.front() : "");
        if (!answer) return answer.error();
        for (const auto domain : base::split(*answer, " \t,"))
            said.emplace_back(domain);
    }
    Names domains;
    for (const auto& each : said) {
        auto host = host_for(found, each);
        if (!host) return host.error();
        if (std::ranges::find(domains, *host) == domains.end()) domains.push_back(*host);
    }
    return domains;
}

/// Not another gateway's: what is said of it is mail, or it is in our configuration.
bool is_ours(const ProsodyConfig& prosody, const Survey& found, const std::string& component) {
    if (!prosody.has_external_component(component)) return false;
    if (component_in(found.conf) == component) return true;
    const auto names = [&](const std::string& host, const char* option, const std::string& name) {
        const boost::json::value* const list = prosody.find(host, option);
        return list != nullptr && list->is_array() &&
               std::ranges::count(list->get_array(), boost::json::value(name)) > 0;
    };
    return std::ranges::any_of(found.site.domains, [&](const std::string& domain) {
        return names(component, "mail_transfer_domains", domain) ||
               names(domain, "mail_transfer_addresses", component);
    });
}

/// As XMPP spells it, if nobody else has it.
base::Result<std::string> component_name(const Survey& found, const std::string& said) {
    const auto domain = mail::Domain::parse(said);
    if (!domain) return base::fail(base::Errc::syntax, said + ": " + domain.error().text);
    std::string name = domain->domainpart();
    const Names hosts = hosts_of(found);
    const bool is_host = std::ranges::find(hosts, name) != hosts.end();
    const bool is_other = found.prosody && found.prosody->has_component(name) &&
                          !is_ours(*found.prosody, found, name);
    if (!is_host && !is_other) return name;
    return base::fail(base::Errc::conflict,
                      fmt::format("{} is in use at {}: the component needs a name of its own; "
                                  "--component NAME",
                                  name, title_of(found.site.xmpp)));
}

std::string new_secret() {
    std::array<std::uint8_t, 32> bytes{};
    base::SystemRandom().fill(bytes);
    std::string text;
    for (const auto byte : bytes)
        text += fmt::format("{:02x}", byte);
    return text;
}

/// The one that is in use already, on either side.
std::string choose_secret(const Survey& found) {
    const std::string& component = found.site.component;
    if (found.prosody) {
        const auto* const set = found.prosody->find(component, "component_secret");
        if (set != nullptr && set->is_string()) return std::string(set->get_string());
    }
    if (found.ejabberd) {
        for (const auto& service : found.ejabberd->services) {
            const auto set = service.passwords.find(component);
            if (set != service.passwords.end() && !set->second.empty()) return set->second;
        }
    }
    const std::string header = "component " + component;
    std::string known = value_of(found.conf, header, "secret");
    if (const auto file = value_of(found.conf, header, "secret-file"); !file.empty()) {
        const auto text = read_file(file);
        if (text) known = text->substr(0, text->find('\n'));
    }
    return known.empty() || known == "change-me" ? new_secret() : known;
}

/// ejabberd's is for one component: another one's listener is no place for it.
std::uint16_t choose_port(const Survey& found) {
    if (found.prosody) return found.prosody->component_port();
    const std::string server = value_of(found.conf, "component " + found.site.component, "server");
    const auto known = base::parse_number(server.substr(server.rfind(':') + 1), 65535);
    if (exists(kEjabberdOwnFile) && known) return static_cast<std::uint16_t>(*known);
    std::uint16_t port = 5347;
    while (found.ejabberd->ports.contains(port))
        ++port;
    return port;
}

/// Somebody else may have them.
base::Result<void> check_ports(const Survey& found, const SetupOptions& options) {
    const auto postfix = read_master_cf(found.main_cf, found.master_cf);
    if (!postfix) return postfix.error();
    const auto config = load_config(options.config, {}, SecretPolicy::if_readable);
    const bool runs =
        config && ask_daemon(config->control_socket, {{"command", "status"}}).has_value();
    for (const std::uint16_t port : {2424, 2425, 2426, 2526, 2527}) {
        const bool is_postfix = port > 2500;
        const bool is_ours =
            is_postfix
                ? std::ranges::any_of(postfix->services(),
                                      [port](const auto& each) { return each.has_port(port); })
                : runs;
        if (is_ours || is_free(port)) continue;
        return base::fail(
            base::Errc::conflict,
            fmt::format("port {} of 127.0.0.1, which is for {}, is in use by another "
                        "program; `ss -tlnp` says which. To use another port, follow "
                        "docs/install.md, {} and master.cf",
                        port, is_postfix ? "Postfix" : "Packetboat", options.config.string()));
    }
    return {};
}

base::Result<void> look_at_postfix(Survey& found) {
    if (!exists(kPostconf)) {
        return missing(std::string("there is no Postfix here (") + kPostconf +
                       "); for other mail servers see "
                       "docs/install.md");
    }
    auto main = read_file(kMainCf);
    if (!main) return main.error();
    auto master = read_file(kMasterCf);
    if (!master) return master.error();
    found.main_cf = std::move(*main);
    found.master_cf = std::move(*master);
    auto parameters = read_main_cf(found.main_cf, found.master_cf);
    if (!parameters) return parameters.error();
    found.main = std::move(*parameters);
    const auto types = output_of({kPostconf, "-m"});
    if (!types) return types.error();
    const auto words = base::split(*types, " \t\r\n");
    if (std::ranges::find(words, "lmdb") == words.end())
        return missing(
            "Postfix has no lmdb tables: apt install postfix-lmdb, and then setup again");
    found.site.hostname = found.main.value("myhostname");
    const auto limit = base::parse_number(found.main.value("message_size_limit"));
    found.site.message_size_limit = limit ? *limit : 0;
    return {};
}

base::Result<void> look_at_xmpp(Survey& found, const SetupOptions& options) {
    const auto server = find_xmpp();
    if (!server) return server.error();
    Site& site = found.site;
    site.xmpp = *server;
    site.require_certificates = options.require_certificates;
    bool is_pkix = false;
    if (site.xmpp == XmppServer::prosody) {
        auto prosody = read_prosody();
        if (!prosody) return prosody.error();
        is_pkix = (prosody->requires_certificates() || options.require_certificates) &&
                  prosody->insecure_domains().empty();
        site.max_stanza = std::min(site.max_stanza, prosody->max_stanza());
        found.prosody = std::move(*prosody);
    } else {
        auto ejabberd = read_ejabberd(kEjabberdFile);
        if (!ejabberd) return ejabberd.error();
        // Where nothing is said of TLS, our own file requires it.
        const bool is_encrypted = ejabberd->requires_tls() || ejabberd->starttls.empty();
        is_pkix = options.require_certificates || (is_encrypted && !ejabberd->takes_dialback());
        site.max_stanza = std::min(site.max_stanza, ejabberd->max_stanza);
        found.ejabberd = std::move(*ejabberd);
    }
    site.assurance = is_pkix ? "pkix" : "dialback";
    return {};
}

}  // namespace

base::Result<Survey> survey(const SetupOptions& options, Asker& asker) {
    Survey found;
    auto conf = read_file(options.config);
    if (!conf) return conf.error();
    found.conf = std::move(*conf);
    const auto postfix = look_at_postfix(found);
    if (!postfix) return postfix.error();
    const auto xmpp = look_at_xmpp(found, options);
    if (!xmpp) return xmpp.error();
    Site& site = found.site;
    const std::string known = component_in(found.conf);
    auto domains = choose_domains(
        found, options, known.empty() ? "" : value_of(found.conf, "component " + known, "domains"),
        asker);
    if (!domains) return domains.error();
    site.domains = std::move(*domains);
    site.component = options.component.empty() ? known : options.component;
    if (site.component.empty()) {
        std::string proposed = "mail." + site.domains.front();
        if (proposed == site.hostname) proposed = "packetboat." + site.domains.front();
        auto answer = asker.word("A name for the component, a host to other servers?", proposed);
        if (!answer) return answer.error();
        site.component = std::move(*answer);
    }
    auto name = component_name(found, site.component);
    if (!name) return name.error();
    site.component = std::move(*name);
    site.secret = choose_secret(found);
    site.component_port = choose_port(found);
    const auto ports = check_ports(found, options);
    if (!ports) return ports.error();
    return found;
}

}  // namespace app
