#include "component/discovery/dns_channel.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <ares.h>

namespace component {
namespace {

using namespace std::chrono_literals;
namespace asio = base::asio;

constexpr int kTries = 2;
constexpr std::chrono::milliseconds kTick = 500ms;  // how often c-ares looks at its own timers
constexpr int kInternet = 1;                        // the class of all records

void pass_on(void* argument, int status, int /*timeouts*/, unsigned char* bytes, int size) {
    (*static_cast<DnsChannel::OnAnswer*>(argument))(status, bytes, size);
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

/// Until a socket of the channel is ready, or `limit` has passed. The sockets are c-ares' own again
/// afterwards.
base::Task<std::shared_ptr<Ready>> wait_for_sockets(ares_channel channel,
                                                    std::chrono::milliseconds limit) {
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
    co_await ready->signal.wait(limit);
    ready->over = true;
    co_return ready;
}

}  // namespace

DnsChannel::DnsChannel(const std::string& server, std::chrono::milliseconds try_time,
                       Refusals refusals) {
    // Once for the process, as c-ares wants it.
    static const int initialized = ares_library_init(ARES_LIB_INIT_ALL);
    if (initialized != ARES_SUCCESS) return;
    ares_options options{};
    options.timeout = static_cast<int>(try_time.count());
    options.tries = kTries;
    int given = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
    if (refusals == Refusals::answers) {
        options.flags = ARES_FLAG_NOCHECKRESP;
        given |= ARES_OPT_FLAGS;
    }
    ares_channel raw = nullptr;
    if (ares_init_options(&raw, &options, given) != ARES_SUCCESS) return;
    if (!server.empty() && ares_set_servers_ports_csv(raw, server.c_str()) != ARES_SUCCESS) {
        ares_destroy(raw);
        return;
    }
    channel_ = raw;
}

DnsChannel::~DnsChannel() {
    // With ARES_EDESTRUCTION, to those who are still here.
    if (channel_ != nullptr) ares_destroy(channel_);
}

void DnsChannel::ask(const std::string& name, int type, OnAnswer on_answer) {
    OnAnswer& question = questions_.emplace_back(std::move(on_answer));
    ares_query(channel_, name.c_str(), kInternet, type, &pass_on, &question);
}

base::Task<void> DnsChannel::run(std::function<bool()> is_done, std::chrono::milliseconds limit) {
    const auto give_up = std::chrono::steady_clock::now() + limit;
    while (!is_done()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            give_up - std::chrono::steady_clock::now());
        if (left <= 0ms) co_return;
        // A server that is silent costs as much as c-ares gives it, and not until the next tick.
        timeval tick{};
        tick.tv_usec = std::chrono::microseconds(kTick).count();
        timeval next{};
        const timeval* const soon = ares_timeout(channel_, &tick, &next);
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(
            std::chrono::seconds(soon->tv_sec) + std::chrono::microseconds(soon->tv_usec));
        const auto ready = co_await wait_for_sockets(channel_, std::clamp(wait, 1ms, left));
        if (ready->sockets.empty()) ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        for (const auto& [reading, writing] : ready->sockets)
            ares_process_fd(channel_, reading, writing);
    }
}

}  // namespace component
