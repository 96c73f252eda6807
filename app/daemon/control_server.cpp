#include "app/daemon/control_server.hpp"

#include "app/daemon/control_answers.hpp"
#include "app/daemon/off_answers.hpp"
#include "app/daemon/own_promise_answers.hpp"
#include "app/daemon/peer_answers.hpp"
#include "app/daemon/route_answers.hpp"
#include "app/daemon/sender_answers.hpp"
#include "app/json_text.hpp"
#include "app/log.hpp"
#include "base/limits.hpp"

#include <boost/json.hpp>

namespace app {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kClients = 20;  // people, and their scripts
constexpr auto kAskTime = 10s;        // to send a request: it is ready when they connect ...
constexpr auto kReadTime = 30s;       // ... and to read the answer, which may be large

std::string line_of(const json::object& reply) {
    return json::serialize(reply) + "\n";
}

/// It fits into a new socket's buffer, so nothing waits.
void dismiss(smtp_bridge::Socket socket) {
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    const std::string reply = line_of(refusal("too many questions at once"));
    socket.write_some(base::asio::buffer(reply), ignored);
}

}  // namespace

struct ControlServer::Client final : smtp_bridge::Guest {
    explicit Client(smtp_bridge::Socket accepted) : socket(std::move(accepted)) {}
    void close() {
        boost::system::error_code ignored;
        socket.close(ignored);
    }
    const std::string& client() const override { return name; }
    std::optional<std::chrono::steady_clock::time_point> silent_since() const override {
        if (waits) return std::nullopt;
        return came;
    }
    bool is_at_work() const override { return false; }
    void send_away() override { close(); }

    smtp_bridge::Socket socket;
    std::string name = "the administrator";  // all of them are
    std::chrono::steady_clock::time_point came = std::chrono::steady_clock::now();
    bool waits = false;  ///< for the answer to what it has asked
};

ControlServer::ControlServer(base::asio::any_io_executor executor, std::filesystem::path path,
                             Daemon& daemon)
    : executor_(executor),
      path_(std::move(path)),
      daemon_(daemon),
      places_(kClients, 0ms),
      tasks_(executor) {}

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
    while (acceptor_->is_open()) {
        auto [error, socket] = co_await acceptor_->async_accept(base::use_result);
        if (error == base::asio::error::operation_aborted) co_return;
        if (error) {
            log::control_failed("accept", base::fail(base::Errc::io, error.message()));
            co_await base::sleep_for(1s);
            continue;
        }
        auto client = std::make_shared<Client>(std::move(socket));
        const auto room = places_.make_room(client->name, kClients, client->came);
        if (room == smtp_bridge::Places::Room::none) {
            dismiss(std::move(client->socket));
            continue;
        }
        places_.add(*client);
        clients_.insert(client);
        tasks_.spawn("control-client", [this, client] { return serve(client); });
    }
}

base::Task<void> ControlServer::serve(std::shared_ptr<Client> client) {
    co_await exchange(*client);
    places_.remove(*client);
    clients_.erase(client);
}

base::Task<void> ControlServer::exchange(Client& client) {
    base::Deadline deadline(executor_, [this, &client] {
        client.close();
        // Though somebody may still work for it.
        places_.remove(client);
    });
    deadline.arm(kAskTime);
    std::string input;
    auto buffer = base::asio::dynamic_buffer(input, base::limits::kControlRequest);
    const auto [error, length] =
        co_await base::asio::async_read_until(client.socket, buffer, '\n', base::use_result);
    std::string reply;
    if (error == base::asio::error::not_found) {
        reply = line_of(refusal("the request is too long"));
    } else if (error) {
        co_return;
    } else {
        client.waits = true;
        deadline.arm(base::limits::kControlTime);
        std::string request = input.substr(0, length);
        reply = co_await answer(std::move(request));
        client.waits = false;
    }
    deadline.arm(kReadTime);
    co_await base::asio::async_write(client.socket, base::asio::buffer(reply), base::use_result);
}

base::Task<std::string> ControlServer::answer(std::string request) {
    boost::system::error_code error;
    json::value parsed = json::parse(request, error);
    if (error || !parsed.is_object()) co_return line_of(refusal("the request is no JSON object"));
    std::string why;
    try {
        json::object asked = std::move(parsed.as_object());
        const json::object reply = co_await carry_out(std::move(asked));
        co_return line_of(reply);
    } catch (const std::exception& fault) {
        // A fault of the answer, not of the queue, which has threads of its own and says itself
        // when its invariants are broken.
        why = fault.what();
    }
    log::control_failed("request", base::fail(base::Errc::io, why));
    co_return line_of(refusal("internal error: " + why));
}

base::Task<json::object> ControlServer::carry_out(json::object asked) {
    json::object reply;
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
    } else if (command == "senders-list") {
        reply = answer_senders(daemon_);
    } else if (command == "senders-forget") {
        reply = answer_forget_sender(daemon_, text_of(asked, "name"));
    } else if (command == "peers-list") {
        json::object place = asked;
        reply = co_await answer_peers(daemon_, std::move(place));
    } else if (command == "peers-show") {
        std::string domain = text_of(asked, "domain");
        reply = co_await answer_peer(daemon_, std::move(domain));
    } else if (command == "peers-set") {
        json::object set = asked;
        reply = co_await answer_set_peer(daemon_, std::move(set));
    } else if (command == "peers-forget") {
        std::string domain = text_of(asked, "domain");
        reply = co_await answer_forget_peer(daemon_, std::move(domain));
    } else if (command == "retire" || command == "resume") {
        std::string component = text_of(asked, "component");
        reply = co_await answer_retire(daemon_, std::move(component), command == "retire");
    } else if (command == "off") {
        std::string until = text_of(asked, "until");
        reply = co_await answer_off(daemon_, std::move(until));
    } else if (command == "promise-ours") {
        reply = answer_own_promises(daemon_);
    } else if (command == "on") {
        reply = co_await answer_on(daemon_);
    } else {
        reply = refusal("unknown command \"" + command + "\"");
    }
    co_return reply;
}

}  // namespace app
