#include "component/discovery/resolver.hpp"

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include <ares.h>

namespace component {
namespace {

using namespace std::chrono_literals;
namespace asio = base::asio;

constexpr int kTryTime = 3000;  // ms, of the first try
constexpr int kTries = 2;
constexpr auto kWholeTime = 20s;
constexpr auto kTick = 500ms;  // how often c-ares looks at its own timers

struct Query {
    SrvAnswer answer = SrvAnswer::unknown;
    bool done = false;
};

/// RFC 6120 3.2.1, RFC 2782: the target "." says that there is decidedly no such service.
SrvAnswer read_answer(int status, const unsigned char* bytes, int size) {
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

void on_answer(void* argument, int status, int, unsigned char* bytes, int size) {
    auto& query = *static_cast<Query*>(argument);
    query.answer = read_answer(status, bytes, size);
    query.done = true;
}

struct Destroy {
    // Answers what is still open (ARES_EDESTRUCTION), so that the queries must outlive it.
    void operator()(ares_channeldata* channel) const { ares_destroy(channel); }
};
using Channel = std::unique_ptr<ares_channeldata, Destroy>;

Channel open_channel(const std::string& server) {
    // Once for the process, as c-ares wants it.
    static const int initialized = ares_library_init(ARES_LIB_INIT_ALL);
    if (initialized != ARES_SUCCESS) return nullptr;
    ares_options options{};
    options.timeout = kTryTime;
    options.tries = kTries;
    ares_channel raw = nullptr;
    if (ares_init_options(&raw, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) != ARES_SUCCESS)
        return nullptr;
    Channel channel(raw);
    if (!server.empty() && ares_set_servers_ports_csv(raw, server.c_str()) != ARES_SUCCESS)
        return nullptr;
    return channel;
}

/// What the handlers of one wait share: they may still run after the wait is over.
struct Ready {
    explicit Ready(const asio::any_io_executor& executor) : signal(executor) {}
    base::Signal signal;
    std::vector<std::pair<ares_socket_t, ares_socket_t>> sockets;  ///< to read, to write
    bool over = false;
};

/// Watches one of c-ares' sockets; gives it back, still open, when destroyed.
class Watch {
  public:
    Watch(const asio::any_io_executor& executor, ares_socket_t socket)
        : descriptor_(executor, socket) {}
    ~Watch() { descriptor_.release(); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    void wait(asio::posix::stream_descriptor::wait_type type, const std::shared_ptr<Ready>& ready) {
        const ares_socket_t socket = descriptor_.native_handle();
        const bool reads = type == asio::posix::stream_descriptor::wait_read;
        descriptor_.async_wait(type,
                               [ready, socket, reads](const boost::system::error_code& error) {
                                   if (error || ready->over) return;
                                   ready->sockets.emplace_back(reads ? socket : ARES_SOCKET_BAD,
                                                               reads ? ARES_SOCKET_BAD : socket);
                                   ready->signal.notify();
                               });
    }

  private:
    asio::posix::stream_descriptor descriptor_;
};

/// Until a socket of the channel is ready, or for a tick. The sockets are c-ares' own again
/// afterwards.
base::Task<std::shared_ptr<Ready>> wait_for_sockets(ares_channel channel) {
    using Descriptor = asio::posix::stream_descriptor;
    const auto executor = co_await asio::this_coro::executor;
    auto ready = std::make_shared<Ready>(executor);
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
    const auto wanted =
        static_cast<unsigned>(ares_getsock(channel, sockets.data(), ARES_GETSOCK_MAXNUM));
    std::vector<std::unique_ptr<Watch>> watches;
    for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
        const bool reads = (wanted & (1u << i)) != 0;
        const bool writes = (wanted & (1u << (i + ARES_GETSOCK_MAXNUM))) != 0;
        if (!reads && !writes) continue;
        watches.push_back(std::make_unique<Watch>(executor, sockets[i]));
        if (reads) watches.back()->wait(Descriptor::wait_read, ready);
        if (writes) watches.back()->wait(Descriptor::wait_write, ready);
    }
    co_await ready->signal.wait(kTick);
    ready->over = true;
    co_return ready;
}

}  // namespace

base::Task<SrvAnswer> DnsResolver::find_server(mail::Domain domain) {
    std::array<Query, 2> queries;  // before the channel, which answers them when it goes
    const Channel channel = open_channel(server_);
    if (!channel || domain.is_address_literal())
        co_return channel ? SrvAnswer::absent : SrvAnswer::unknown;
    // The first is of XEP-0368.
    const std::string secure = "_xmpps-server._tcp." + domain.ascii();
    const std::string plain = "_xmpp-server._tcp." + domain.ascii();
    ares_query(channel.get(), secure.c_str(), 1 /* IN */, 33 /* SRV */, &on_answer, &queries[0]);
    ares_query(channel.get(), plain.c_str(), 1, 33, &on_answer, &queries[1]);
    const auto give_up = std::chrono::steady_clock::now() + kWholeTime;
    while (!queries[0].done || !queries[1].done) {
        if (std::chrono::steady_clock::now() > give_up) break;
        if (queries[0].answer == SrvAnswer::exists || queries[1].answer == SrvAnswer::exists) break;
        const auto ready = co_await wait_for_sockets(channel.get());
        if (ready->sockets.empty())
            ares_process_fd(channel.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        for (const auto& [reading, writing] : ready->sockets)
            ares_process_fd(channel.get(), reading, writing);
    }
    for (const auto& query : queries) {
        if (query.answer == SrvAnswer::exists) co_return SrvAnswer::exists;
    }
    for (const auto& query : queries) {
        if (query.answer == SrvAnswer::unknown) co_return SrvAnswer::unknown;
    }
    co_return SrvAnswer::absent;
}

}  // namespace component
