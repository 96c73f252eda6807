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
constexpr auto kTargetTime = 10s;
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
    return exists ? SrvAnswer::exists : SrvAnswer::denied;
}

/// In the order of RFC 2782, but that equals are not shuffled.
std::vector<ServerAddress> read_targets(const unsigned char* bytes, int size, bool direct_tls) {
    ares_srv_reply* first = nullptr;
    if (ares_parse_srv_reply(bytes, size, &first) != ARES_SUCCESS) return {};
    std::vector<std::pair<int, ServerAddress>> found;
    for (const auto* record = first; record != nullptr; record = record->next)
        found.emplace_back(record->priority, ServerAddress{record->host, record->port, direct_tls});
    ares_free_data(first);
    std::ranges::stable_sort(found, {}, [](const auto& each) { return each.first; });
    std::vector<ServerAddress> targets;
    for (auto& [priority, target] : found) {
        if (targets.size() < kTargets) targets.push_back(std::move(target));
    }
    return targets;
}

struct TargetQuery {
    int status = ARES_ETIMEOUT;
    std::vector<ServerAddress> targets;
    bool done = false;
};

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
    for (const auto answer : {SrvAnswer::exists, SrvAnswer::unknown, SrvAnswer::denied}) {
        if (std::ranges::count(queries, answer, &ServerQuery::answer) > 0) co_return answer;
    }
    co_return SrvAnswer::absent;
}

base::Task<base::Result<std::vector<ServerAddress>>> find_servers(std::string server,
                                                                  mail::Domain domain) {
    std::array<TargetQuery, 2> queries;  // before the channel, which answers them when it goes
    DnsChannel channel(server, kTryTime);
    if (!channel.is_open()) co_return base::fail(base::Errc::timeout, "it can't be asked");
    const std::array<const char*, 2> services{"_xmpp-server._tcp.", "_xmpps-server._tcp."};
    for (std::size_t i = 0; i < queries.size(); ++i) {
        TargetQuery& query = queries[i];
        const bool direct_tls = i == 1;
        channel.ask(services[i] + domain.ascii(), ns_t_srv,
                    [&query, direct_tls](int status, const unsigned char* bytes, int size) {
                        query.status = status;
                        if (status == ARES_SUCCESS)
                            query.targets = read_targets(bytes, size, direct_tls);
                        query.done = true;
                    });
    }
    const std::function<bool()> is_done = [&queries] {
        return std::ranges::all_of(queries, &TargetQuery::done);
    };
    co_await channel.run(is_done, kTargetTime);
    for (TargetQuery& query : queries) {
        const bool has_none = query.status == ARES_ENOTFOUND || query.status == ARES_ENODATA;
        if (!query.done || (query.status != ARES_SUCCESS && !has_none))
            co_return base::fail(base::Errc::timeout, ares_strerror(query.status));
        if (query.targets.empty()) continue;
        const std::string& first = query.targets.front().host;
        if (query.targets.size() == 1 && (first.empty() || first == "."))
            co_return base::fail(base::Errc::not_found, "the DNS says that there is none");
        co_return std::move(query.targets);
    }
    std::vector<ServerAddress> itself{{domain.ascii(), kServerPort, false}};
    co_return itself;
}

base::Task<base::Result<void>> probe_resolver(std::string server) {
    int status = ARES_ETIMEOUT;
    bool is_answered = false;  // before the channel, which answers when it goes
    DnsChannel channel(server, kProbeTry, DnsChannel::Refusals::answers);
    if (!channel.is_open()) co_return base::fail(base::Errc::timeout, "it can't be asked");
    channel.ask(".", ns_t_ns, [&](int found, const unsigned char*, int) {
        status = found;
        is_answered = true;
    });
    const std::function<bool()> is_done = [&is_answered] { return is_answered; };
    co_await channel.run(is_done, kProbeTime);
    if (!is_answered || status == ARES_ETIMEOUT || status == ARES_ECONNREFUSED)
        co_return base::fail(base::Errc::timeout, ares_strerror(status));
    co_return base::Result<void>();
}

}  // namespace component
