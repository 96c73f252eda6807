#include "smtp-bridge/lookup/lookup_server.hpp"

#include "base/limits.hpp"
#include "base/thread_name.hpp"
#include "smtp-bridge/log.hpp"
#include "smtp-bridge/lookup/miss_filter.hpp"
#include "smtp-bridge/wire/places.hpp"
#include "smtp-bridge/wire/wire.hpp"

#include <csignal>
#include <set>

#include <boost/asio.hpp>
#include <unistd.h>

namespace smtp_bridge {
namespace {

namespace limits = base::limits;

/// A request of the greatest size, with what is around it.
constexpr std::size_t kInputBuffer = limits::kNetstring + 8;
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
/// For an answer that somebody else has: longer than he takes, shorter than Postfix waits.
constexpr auto kOpenAnswer = std::chrono::seconds(12);

struct LookupClient final : Guest {
    LookupClient(Socket socket, std::string from)
        : wire(std::move(socket), kInputBuffer), address(std::move(from)) {}

    const std::string& client() const override { return address; }
    std::optional<std::chrono::steady_clock::time_point> silent_since() const override {
        return wire.waiting_since();
    }
    bool is_at_work() const override { return asked != nullptr; }
    void send_away() override { wire.close(); }
    /// Nobody waits for an answer any more.
    void give_up() {
        wire.close();
        if (asked) asked->set({});
    }

    Wire wire;
    std::string address;
    std::shared_ptr<base::OneShot<std::string>> asked;  ///< an answer that is open
};

}  // namespace

/// Everything but `stopped` and `settings` belongs to the lookup thread once that runs.
struct LookupServer::Shared {
    Shared(LookupServerSettings s, std::unique_ptr<Lookup> l, asio::any_io_executor m,
           std::function<void(mail::Domain)> on_miss)
        : settings(std::move(s)),
          lookup(std::move(l)),
          main(std::move(m)),
          miss(std::move(on_miss)) {}

    asio::io_context io{1};
    LookupServerSettings settings;
    std::unique_ptr<Lookup> lookup;
    asio::any_io_executor main;
    std::function<void(mail::Domain)> miss;
    std::atomic<bool> stopped = false;
    std::optional<Acceptor> acceptor;
    std::set<std::shared_ptr<LookupClient>> clients;  ///< at most those of `places`
    /// Who is silent is at rest: Postfix connects again when it has something to ask.
    Places places{limits::kRouteClients, std::chrono::milliseconds(0)};
    MissFilter filter;

    base::Task<void> accept_clients(std::shared_ptr<Shared> self);
    void admit(Socket socket, const std::shared_ptr<Shared>& self);
    base::Task<void> serve(std::shared_ptr<Shared> self, std::shared_ptr<LookupClient> client);
    base::Task<bool> answer_all(std::shared_ptr<Shared> self, std::shared_ptr<LookupClient> client);
    base::Task<std::string> close(std::shared_ptr<Shared> self,
                                  std::shared_ptr<LookupClient> client, OpenAnswer open);
    void report_miss(const mail::Domain& domain, const std::shared_ptr<Shared>& self);
};

base::Task<void> LookupServer::Shared::accept_clients(std::shared_ptr<Shared> self) {
    while (!stopped) {
        Socket socket(io);
        const auto [error] = co_await acceptor->async_accept(socket, base::use_result);
        if (stopped) break;
        if (error) {
            log::accept_failed(settings.name, error.message());
            co_await base::sleep_for(kAcceptPause);
            continue;
        }
        admit(std::move(socket), self);
    }
}

void LookupServer::Shared::admit(Socket socket, const std::shared_ptr<Shared>& self) {
    boost::system::error_code ignored;
    const std::string address = peer_text(socket.remote_endpoint(ignored));
    const auto now = std::chrono::steady_clock::now();
    const auto room = places.make_room(address, places.most(), now);
    if (room != Places::Room::free && places.is_news(now))
        log::lookup_clients_full(settings.name, places.most());
    if (room == Places::Room::none) return;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    const auto client = std::make_shared<LookupClient>(std::move(socket), address);
    clients.insert(client);
    places.add(*client);
    base::spawn(io.get_executor(), "lookup-client",
                [self, client] { return self->serve(self, client); });
}

base::Task<void> LookupServer::Shared::serve(std::shared_ptr<Shared> self,
                                             std::shared_ptr<LookupClient> client) {
    Wire& wire = client->wire;
    for (;;) {
        const bool is_good = co_await answer_all(self, client);
        if (!is_good) break;
        const auto sent = co_await wire.flush(settings.idle_time);
        if (!sent) break;
        const auto filled = co_await wire.fill(settings.idle_time);
        if (!filled) break;
    }
    wire.close();
    places.remove(*client);
    clients.erase(client);
}

/// Answers every whole request that has come, in order; false if the client breaks the protocol.
base::Task<bool> LookupServer::Shared::answer_all(std::shared_ptr<Shared> self,
                                                  std::shared_ptr<LookupClient> client) {
    Wire& wire = client->wire;
    const std::function<void(const mail::Domain&)> on_miss = [&](const mail::Domain& domain) {
        report_miss(domain, self);
    };
    for (;;) {
        auto answered = lookup->answer(wire.input(), wire.output(), on_miss);
        if (!answered) {
            log::lookup_bad_input(settings.name, client->address, answered.error().text);
            co_return false;
        }
        if (answered->used == 0) co_return true;
        wire.consume(answered->used);
        if (!answered->open) continue;
        std::string answer = co_await close(self, client, std::move(*answered->open));
        if (stopped) co_return false;
        wire.output() += answer;
    }
}

/// Others are answered meanwhile.
base::Task<std::string> LookupServer::Shared::close(std::shared_ptr<Shared> self,
                                                    std::shared_ptr<LookupClient> client,
                                                    OpenAnswer open) {
    const auto told = std::make_shared<base::OneShot<std::string>>(io.get_executor());
    client->asked = told;
    // Who tells may do so, or drop this, when all of it is gone, and with it the loop that the
    // answer's timer belongs to.
    open.ask([weak = std::weak_ptr(self), waiting = std::weak_ptr(told)](std::string answer) {
        const auto shared = weak.lock();
        if (!shared || shared->stopped) return;
        asio::post(shared->io, [waiting, answer = std::move(answer)] {
            if (const auto still = waiting.lock()) still->set(answer);
        });
    });
    auto answer = co_await told->wait(kOpenAnswer);
    client->asked.reset();
    if (!answer) answer = open.otherwise();
    co_return std::move(*answer);
}

void LookupServer::Shared::report_miss(const mail::Domain& domain,
                                       const std::shared_ptr<Shared>& self) {
    if (!filter.lets_through(domain, std::chrono::steady_clock::now())) return;
    asio::post(main, [self, domain] {
        if (!self->stopped) self->miss(domain);
    });
}

LookupServer::LookupServer(LookupServerSettings settings, std::unique_ptr<Lookup> lookup,
                           asio::any_io_executor main, std::function<void(mail::Domain)> miss)
    : shared_(std::make_shared<Shared>(std::move(settings), std::move(lookup), std::move(main),
                                       std::move(miss))) {}

LookupServer::~LookupServer() {
    stop();
}

base::Result<void> LookupServer::start() {
    const auto& settings = shared_->settings;
    const auto executor = shared_->io.get_executor();
    auto acceptor = settings.inherited ? adopt(executor, *settings.inherited)
                                       : listen(executor, settings.endpoint, settings.socket_mode);
    if (!acceptor) return acceptor.error();
    shared_->acceptor.emplace(std::move(*acceptor));
    log::listening(settings.name, settings.endpoint.to_text(), "lookup");
    base::spawn(shared_->io.get_executor(), "lookup-accept",
                [shared = shared_] { return shared->accept_clients(shared); });
    // Signals are the main thread's.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([shared = shared_] {
        base::name_thread("lookup");
        shared->io.run();
    });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return {};
}

void LookupServer::stop() {
    if (!thread_.joinable()) return;
    shared_->stopped = true;
    // The loop ends by itself when nobody is left on it.
    asio::post(shared_->io, [shared = shared_] {
        boost::system::error_code ignored;
        shared->acceptor->close(ignored);
        for (const auto& client : shared->clients)
            client->give_up();
    });
    thread_.join();
    if (shared_->settings.endpoint.is_unix() && !shared_->settings.inherited)
        ::unlink(shared_->settings.endpoint.path().c_str());
    shared_->acceptor.reset();
    shared_->clients.clear();
}

}  // namespace smtp_bridge
