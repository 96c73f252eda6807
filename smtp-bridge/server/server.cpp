#include "smtp-bridge/server/server.hpp"

#include "smtp-bridge/log.hpp"

#include <algorithm>

#include <boost/asio.hpp>
#include <fmt/format.h>
#include <unistd.h>

namespace smtp_bridge {
namespace {

/// After a failed accept (no descriptors left): long enough for a session to end.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

/// One line to a client that gets no session. It fits into a new socket's buffer, so nothing waits.
void dismiss(Socket socket, const mail::Reply& reply) {
    boost::system::error_code ignored;
    const std::string line = reply.to_text() + "\r\n";
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(line), ignored);
    socket.shutdown(Socket::shutdown_both, ignored);
}

}  // namespace

Server::Server(asio::any_io_executor executor, ListenerSettings settings,
               const queue::Router& router, queue::Intake& intake)
    : executor_(std::move(executor)),
      settings_(std::move(settings)),
      router_(router),
      intake_(intake),
      tasks_(executor_) {
    if (!settings_.admission) settings_.admission = std::make_shared<Admission>();
}

base::Result<void> Server::start() {
    auto acceptor = settings_.inherited
                        ? adopt(executor_, *settings_.inherited)
                        : listen(executor_, settings_.endpoint, settings_.socket_mode);
    if (!acceptor) return acceptor.error();
    acceptor_.emplace(std::move(*acceptor));
    log::listening(settings_.name, settings_.endpoint.to_text(), to_text(settings_.protocol));
    tasks_.spawn("smtp-accept", [this] { return accept_clients(); });
    return {};
}

base::Task<void> Server::stop() {
    stopping_ = true;
    boost::system::error_code ignored;
    if (acceptor_) acceptor_->close(ignored);
    if (acceptor_ && settings_.endpoint.is_unix() && !settings_.inherited)
        ::unlink(settings_.endpoint.path().c_str());
    for (const auto& session : sessions_)
        session->stop();
    co_await tasks_.join();
}

void Server::reload(const ListenerSettings& settings) {
    settings_.networks = settings.networks;
    settings_.trusted = settings.trusted;
    settings_.client_connections = settings.client_connections;
    settings_.client_rate = settings.client_rate;
    settings_.tls = settings.tls;
    settings_.requiretls = settings.requiretls;
}

base::Task<void> Server::accept_clients() {
    while (!stopping_) {
        Socket socket(executor_);
        const auto [error] = co_await acceptor_->async_accept(socket, base::use_result);
        if (stopping_) break;
        if (!error) {
            admit(std::move(socket));
            continue;
        }
        log::accept_failed(settings_.name, error.message());
        co_await base::sleep_for(kAcceptPause);
    }
}

std::optional<mail::Reply> Server::turn_away(const Socket& socket,
                                             const std::string& client) const {
    boost::system::error_code error;
    const auto address = socket.remote_endpoint(error);
    if (error) return mail::Reply{421, {4, 4, 2}, "Connection lost"};
    const auto ip = peer_ip(address);
    const auto holds = [&](const Network& network) { return network.contains(*ip); };
    if (ip && std::ranges::none_of(settings_.networks, holds))
        return mail::Reply{554, {5, 7, 1}, fmt::format("Client {} is not allowed here", client)};
    auto& places = settings_.admission->places;
    const auto now = std::chrono::steady_clock::now();
    const auto room = places.make_room(client, settings_.client_connections, now);
    if (room == Places::Room::none)
        return mail::Reply{421, {4, 7, 0}, settings_.hostname + " Too many connections"};
    if (room == Places::Room::made && places.is_news(now))
        log::clients_full(settings_.name, client, places.most());
    return std::nullopt;
}

void Server::admit(Socket socket) {
    boost::system::error_code ignored;
    const std::string client = peer_text(socket.remote_endpoint(ignored));
    if (const auto reply = turn_away(socket, client)) {
        log::client_refused(settings_.name, client, *reply);
        dismiss(std::move(socket), *reply);
        return;
    }
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    const auto session =
        std::make_shared<ServerSession>(std::move(socket), client, settings_, router_, intake_);
    sessions_.insert(session);
    settings_.admission->places.add(*session);
    tasks_.spawn("smtp-session", [this, session]() -> base::Task<void> {
        co_await session->run();
        sessions_.erase(session);
        settings_.admission->places.remove(*session);
    });
}

}  // namespace smtp_bridge
