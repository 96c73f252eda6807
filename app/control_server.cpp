#include "app/control_server.hpp"

#include "app/control_answers.hpp"
#include "app/json_text.hpp"
#include "app/log.hpp"
#include "app/route_answers.hpp"
#include "base/limits.hpp"

#include <boost/json.hpp>

namespace app {

namespace json = boost::json;

ControlServer::ControlServer(base::asio::any_io_executor executor, std::filesystem::path path,
                             Daemon& daemon)
    : executor_(executor), path_(std::move(path)), daemon_(daemon), tasks_(executor) {}

base::Result<void> ControlServer::start() {
    std::error_code ignored;
    std::filesystem::create_directories(path_.parent_path(), ignored);
    const auto endpoint = smtp_bridge::Endpoint::parse("unix:" + path_.string());
    if (!endpoint) return endpoint.error();
    constexpr unsigned kOwnerOnly = 0600;
    auto acceptor = smtp_bridge::listen(executor_, *endpoint, kOwnerOnly);
    if (!acceptor) return acceptor.error();
    acceptor_.emplace(std::move(*acceptor));
    tasks_.spawn("control", [this] { return accept_clients(); });
    return {};
}

base::Task<void> ControlServer::stop() {
    if (!acceptor_) co_return;  // the file at this path, if there is one, is somebody else's
    acceptor_->close();
    for (const auto& client : clients_)
        client->close();
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    co_await tasks_.join();
}

base::Task<void> ControlServer::accept_clients() {
    constexpr std::size_t kClients = 20;
    while (acceptor_->is_open()) {
        auto [error, socket] = co_await acceptor_->async_accept(base::use_result);
        if (error == base::asio::error::operation_aborted) co_return;
        if (error) {
            log::control_failed("accept", base::fail(base::Errc::io, error.message()));
            co_await base::sleep_for(std::chrono::seconds(1));
            continue;
        }
        if (tasks_.running() > kClients) continue;  // closes it
        auto shared = std::make_shared<smtp_bridge::Socket>(std::move(socket));
        tasks_.spawn("control-client", [this, shared] { return serve(shared); });
    }
}

base::Task<void> ControlServer::serve(std::shared_ptr<smtp_bridge::Socket> socket) {
    clients_.insert(socket);
    co_await exchange(*socket);
    clients_.erase(socket);
}

base::Task<void> ControlServer::exchange(smtp_bridge::Socket& socket) {
    base::Deadline deadline(executor_, [&socket] { socket.close(); });
    deadline.arm(base::limits::kControlTime);
    std::string input;
    auto buffer = base::asio::dynamic_buffer(input, base::limits::kControlRequest);
    const auto [error, length] =
        co_await base::asio::async_read_until(socket, buffer, '\n', base::use_result);
    if (error) co_return;
    std::string request = input.substr(0, length);
    std::string reply = co_await answer(std::move(request));
    co_await base::asio::async_write(socket, base::asio::buffer(reply), base::use_result);
}

base::Task<std::string> ControlServer::answer(std::string request) {
    boost::system::error_code error;
    const json::value parsed = json::parse(request, error);
    json::object reply = refusal("the request is no JSON object");
    if (!error && parsed.is_object()) {
        const json::object& asked = parsed.as_object();
        const std::string command = text_of(asked, "command");
        if (command == "status") {
            reply = co_await answer_status(daemon_);
        } else if (command == "queue-list") {
            json::object filters = asked;
            reply = co_await answer_queue_list(daemon_, std::move(filters));
        } else if (command == "queue") {
            json::object operation = asked;
            reply = co_await answer_operate(daemon_, std::move(operation));
        } else if (command == "verify") {
            reply = co_await answer_verify(daemon_);
        } else if (command == "backup") {
            std::string file = text_of(asked, "file");
            reply = co_await answer_backup(daemon_, std::move(file));
        } else if (command == "trace") {
            std::string name = text_of(asked, "name");
            reply = co_await answer_trace(daemon_, std::move(name));
        } else if (command == "look-up") {
            std::string domain = text_of(asked, "domain");
            reply = co_await answer_look_up(daemon_, std::move(domain));
        } else if (command == "routes-list") {
            reply = answer_routes(daemon_);
        } else if (command == "routes-forget") {
            std::string domain = text_of(asked, "domain");
            reply = co_await answer_forget_route(daemon_, std::move(domain));
        } else if (command == "retire" || command == "resume") {
            std::string component = text_of(asked, "component");
            reply = co_await answer_retire(daemon_, std::move(component), command == "retire");
        } else {
            reply = refusal("unknown command \"" + command + "\"");
        }
    }
    co_return json::serialize(reply) + "\n";
}

}  // namespace app
