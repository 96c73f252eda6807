#include "app/control_client.hpp"

#include "app/terminal.hpp"
#include "base/async.hpp"
#include "base/limits.hpp"

namespace app {
namespace {

namespace json = boost::json;
namespace local = boost::asio::local;

struct Exchange {
    explicit Exchange(base::asio::io_context& io) : socket(io) {}
    local::stream_protocol::socket socket;
    std::string output;
    std::string input;
    boost::system::error_code error;
};

base::Task<void> talk(Exchange& exchange, std::string path) {
    base::Deadline deadline(exchange.socket.get_executor(),
                            [&exchange] { exchange.socket.close(); });
    deadline.arm(base::limits::kControlTime);
    const local::stream_protocol::endpoint endpoint(path);
    std::tie(exchange.error) = co_await exchange.socket.async_connect(endpoint, base::use_result);
    if (exchange.error) co_return;
    const auto [failed, written] = co_await base::asio::async_write(
        exchange.socket, base::asio::buffer(exchange.output), base::use_result);
    exchange.error = failed;
    if (exchange.error) co_return;
    auto buffer = base::asio::dynamic_buffer(exchange.input);
    const auto [ended, length] =
        co_await base::asio::async_read_until(exchange.socket, buffer, '\n', base::use_result);
    exchange.error = ended;
}

}  // namespace

base::Result<json::object> ask_daemon(const std::filesystem::path& socket,
                                      const json::object& request) {
    base::asio::io_context io(1);
    Exchange exchange(io);
    exchange.output = json::serialize(request) + "\n";
    if (socket.string().size() > 100)
        return base::fail(base::Errc::limit, socket.string() + ": the path is too long");
    base::spawn(io.get_executor(), "control-client",
                [&] { return talk(exchange, socket.string()); });
    io.run();
    if (exchange.error) {
        return base::fail(base::Errc::io, "packetboat does not answer on " + socket.string() +
                                              " (" + exchange.error.message() +
                                              "); is it running?");
    }
    boost::system::error_code error;
    json::value answer = json::parse(exchange.input, error);
    if (error || !answer.is_object())
        return base::fail(base::Errc::protocol, "the daemon's answer can't be read");
    json::object& object = answer.as_object();
    const auto* const ok = object.if_contains("ok");
    if (ok != nullptr && ok->is_bool() && ok->as_bool()) return std::move(object);
    return refusal_in(object);
}

base::Error refusal_in(const json::object& answer) {
    const auto* const text = answer.if_contains("error");
    const bool has_text = text != nullptr && text->is_string();
    const auto* const mark = answer.if_contains("not_understood");
    const bool is_mistyped = mark != nullptr && mark->is_bool() && mark->as_bool();
    return base::fail(is_mistyped ? base::Errc::syntax : base::Errc::refused,
                      has_text ? std::string(text->as_string()) : "the daemon refused");
}

int complain(const base::Error& error) {
    terminal::complain(error.text);
    return error.code == base::Errc::syntax ? kNotUnderstood : 1;
}

}  // namespace app
