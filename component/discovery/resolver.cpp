#include "component/discovery/resolver.hpp"

#include "component/discovery/dns_channel.hpp"

#include <algorithm>
#include <array>

#include <ares.h>
#include <arpa/nameser.h>

namespace component {
namespace {

using namespace std::chrono_literals;

constexpr auto kTryTime = 3000ms;  // of the first try
constexpr auto kWholeTime = 20s;
constexpr std::size_t kTargets = 8;
constexpr std::uint16_t kServerPort = 5269;
constexpr auto kProbeTry = 1500ms;
constexpr auto kProbeTime = 10s;

/// RFC 6120 3.2.1, RFC 2782: the target "." says that there is decidedly no such service.
SrvAnswer read_servers(int status, const unsigned char* bytes, int size) {
    if (status == ARES_ENOTFOUND || status == ARES_ENODATA) return SrvAnswer::absent;
    if (status != ARES_SUCCESS) return SrvAnswer::unknown;
    ares_srv_reply* first = nullptr;
    const int parsed = ares_parse_srv_reply(bytes, size, &first);
    if (parsed == ARES_ENODATA) return SrvAnswer::absent;
    if (parsed != ARES_SUCCESS) return SrvAnswer::unknown;
    bool exists = false;
    for (const auto* record = first; record != nullptr; record = record->next) {
        const std::string_view host(record->host);
        if (!host.empty() && host != ".") exists = true;
    }
    ares_free_data(first);
    return exists ? SrvAnswer::exists : SrvAnswer::absent;
}

/// In the order of RFC 2782, but that equals are not shuffled.
std::vector<ServerAddress> read_targets(const unsigned char* bytes, int size) {
    ares_srv_reply* first = nullptr;
    if (ares_parse_srv_reply(bytes, size, &first) != ARES_SUCCESS) return {};
    std::vector<std::pair<int, ServerAddress>> found;
    for (const auto* record = first; record != nullptr; record = record->next)
        found.emplace_back(record->priority, ServerAddress{record->host, record->port});
    ares_free_data(first);
    std::ranges::stable_sort(found, {}, [](const auto& each) { return each.first; });
    std::vector<ServerAddress> targets;
    for (auto& [priority, target] : found) {
        if (targets.size() < kTargets) targets.push_back(std::move(target));
    }
    return targets;
}

struct ServerQuery {
    SrvAnswer answer = SrvAnswer::unknown;
    bool done = false;
};

}  // namespace

base::Task<SrvAnswer> DnsResolver::find_server(mail::Domain domain) {
    std::array<ServerQuery, 2> queries;  // before the channel, which answers them when it goes
    DnsChannel channel(server_, kTryTime);
    if (!channel.is_open() || domain.is_address_literal())
        co_return channel.is_open() ? SrvAnswer::absent : SrvAnswer::unknown;
    // The first is of XEP-0368.
    const std::array<const char*, 2> services{"_xmpps-server._tcp.", "_xmpp-server._tcp."};
    for (std::size_t i = 0; i < queries.size(); ++i) {
        ServerQuery& query = queries[i];
        channel.ask(services[i] + domain.ascii(), ns_t_srv,
                    [&query](int status, const unsigned char* bytes, int size) {
                        query.answer = read_servers(status, bytes, size);
                        query.done = true;
                    });
    }
    const std::function<bool()> is_done = [&queries] {
        return std::ranges::all_of(queries, &ServerQuery::done) ||
               std::ranges::count(queries, SrvAnswer::exists, &ServerQuery::answer) > 0;
    };
    co_await channel.run(is_done, kWholeTime);
    for (const auto& query : queries) {
        if (query.answer == SrvAnswer::exists) co_return SrvAnswer::exists;
    }
    for (const auto& query : queries) {
        if (query.answer == SrvAnswer::unknown) co_return SrvAnswer::unknown;
    }
    co_return SrvAnswer::absent;
}

base::Task<base::Result<std::vector<ServerAddress>>> find_servers(std::string server,
                                                                  mail::Domain domain) {
    int status = ARES_ETIMEOUT;
    bool is_answered = false;
    std::vector<ServerAddress> targets;
    {
        DnsChannel channel(server, kTryTime);
        if (!channel.is_open()) co_return base::fail(base::Errc::timeout, "it can't be asked");
        channel.ask("_xmpp-server._tcp." + domain.ascii(), ns_t_srv,
                    [&](int found, const unsigned char* bytes, int size) {
                        if (found != ARES_EDESTRUCTION) status = found;
                        if (found == ARES_SUCCESS) targets = read_targets(bytes, size);
                        is_answered = true;
                    });
        co_await channel.run([&] { return is_answered; }, kWholeTime);
    }
    const bool has_none = status == ARES_ENOTFOUND || status == ARES_ENODATA;
    if (status != ARES_SUCCESS && !has_none)
        co_return base::fail(base::Errc::timeout, ares_strerror(status));
    if (targets.size() == 1 && (targets[0].host.empty() || targets[0].host == "."))
        co_return base::fail(base::Errc::not_found, "the DNS says that there is none");
    if (targets.empty()) targets.push_back({domain.ascii(), kServerPort});
    co_return targets;
}

base::Task<base::Result<void>> probe_resolver(std::string server) {
    int status = ARES_ETIMEOUT;
    bool is_answered = false;
    {
        DnsChannel channel(server, kProbeTry);
        if (!channel.is_open()) co_return base::fail(base::Errc::timeout, "it can't be asked");
        channel.ask(".", ns_t_ns, [&](int found, const unsigned char*, int) {
            // What is let go when the time is over is no answer.
            if (found != ARES_EDESTRUCTION) status = found;
            is_answered = true;
        });
        co_await channel.run([&] { return is_answered; }, kProbeTime);
    }
    if (status == ARES_ETIMEOUT || status == ARES_ECONNREFUSED)
        co_return base::fail(base::Errc::timeout, ares_strerror(status));
    co_return base::Result<void>();
}

}  // namespace component
