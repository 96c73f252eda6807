#include "component/stream/stream.hpp"

#include "base/crash_point.hpp"
#include "base/text.hpp"
#include "component/xml/namespaces.hpp"
#include "component/xml/xml_writer.hpp"

#include <array>

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <sys/socket.h>

namespace component {
namespace {

using namespace std::chrono_literals;
using base::Errc;
namespace asio = base::asio;
using asio::ip::tcp;

constexpr std::size_t kReadSize = 64u << 10;  // bytes asked of the socket at a time
// White space (RFC 6120 4.6.1) that nobody acknowledges for so long means that the TCP link is
// dead.
constexpr auto kKeepAlive = 60s;
constexpr unsigned kUserTimeout = 60'000;  // ms; RFC 5482

/// An address literal needs no look-up, and so no helper thread of Asio's resolver.
std::optional<tcp::endpoint> as_endpoint(const std::string& host, std::uint16_t port) {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (error) return std::nullopt;
    return tcp::endpoint(address, port);
}

}  // namespace

std::string handshake_digest(std::string_view stream_id, std::string_view secret) {
    std::string text(stream_id);
    text += secret;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1)
        throw std::runtime_error("OpenSSL has no SHA-1");
    std::string hex;
    for (unsigned i = 0; i < size; ++i)
        hex += fmt::format("{:02x}", digest[i]);
    return hex;
}

Stream::Stream(asio::any_io_executor executor, ComponentSettings settings)
    : executor_(std::move(executor)),
      settings_(std::move(settings)),
      socket_(executor_),
      resolver_(executor_),
      deadline_(executor_, [this] { close(); }),
      written_(executor_),
      to_write_(executor_) {}

std::string Stream::where() const {
    return fmt::format("{}:{}", settings_.host, settings_.port);
}

base::Task<base::Result<void>> Stream::open() {
    const auto self = shared_from_this();
    deadline_.arm(base::limits::kConnectTime);
    auto opened = co_await connect_and_prove();
    deadline_.disarm();
    if (opened && !closed_) {
        open_ = true;
        base::spawn(executor_, "stream writer", [self] { return self->write_all(); });
        co_return base::Result<void>();
    }
    close();
    if (deadline_.expired())
        co_return base::fail(Errc::timeout, "no answer from " + where() + " while connecting");
    if (opened) co_return base::fail(Errc::closed, "we are stopping");
    co_return opened.error();
}

base::Task<base::Result<void>> Stream::connect_and_prove() {
    auto connected = co_await connect();
    if (!connected) co_return connected.error();
    auto proved = co_await handshake();
    if (!proved) co_return proved.error();
    co_return base::Result<void>();
}

base::Task<base::Result<void>> Stream::connect() {
    std::vector<tcp::endpoint> endpoints;
    if (const auto literal = as_endpoint(settings_.host, settings_.port)) {
        endpoints.push_back(*literal);
    } else {
        const auto [error, found] = co_await resolver_.async_resolve(
            settings_.host, std::to_string(settings_.port), base::use_result);
        if (error)
            co_return base::fail(Errc::io,
                                 "cannot find " + settings_.host + ": " + error.message());
        endpoints.assign(found.begin(), found.end());
    }
    boost::system::error_code last = asio::error::host_not_found;
    for (const auto& endpoint : endpoints) {
        if (closed_) break;
        boost::system::error_code ignored;
        socket_.close(ignored);
        const auto [error] = co_await socket_.async_connect(endpoint, base::use_result);
        last = error;
        if (!error) break;
    }
    if (last)
        co_return base::fail(Errc::io, "cannot connect to " + where() + ": " + last.message());
    boost::system::error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeout,
               sizeof kUserTimeout);
    co_return base::Result<void>();
}

base::Task<base::Result<void>> Stream::handshake() {
    XmlWriter header;
    header.raw(
        "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams'");
    header.raw(" xmlns='jabber:component:accept' to='" + settings_.jid + "'>");
    const std::string opening = *header.finish();
    const auto [open_error, open_size] =
        co_await asio::async_write(socket_, asio::buffer(opening), base::use_result);
    if (open_error)
        co_return base::fail(Errc::io, "cannot write to " + where() + ": " + open_error.message());

    auto first = co_await next();
    if (!first) co_return first.error();
    const auto* opened = std::get_if<StreamOpened>(&*first);
    if (opened == nullptr)
        co_return base::fail(Errc::protocol, where() + " does not open a stream");
    const std::string proof =
        "<handshake>" + handshake_digest(opened->id, settings_.secret) + "</handshake>";
    const auto [error, size] =
        co_await asio::async_write(socket_, asio::buffer(proof), base::use_result);
    if (error)
        co_return base::fail(Errc::io, "cannot write to " + where() + ": " + error.message());

    auto second = co_await next();
    if (!second) co_return second.error();
    const auto* answer = std::get_if<TagStanza>(&*second);
    if (answer == nullptr || answer->tag->name() != "handshake")
        co_return base::fail(Errc::protocol, where() + " does not answer the handshake");
    co_return base::Result<void>();
}

base::Task<base::Result<XmlEvent>> Stream::next() {
    while (events_.empty() && !over_)
        co_await fill();
    if (events_.empty()) co_return *over_;
    XmlEvent event = std::move(events_.front());
    events_.pop_front();
    co_return event;
}

base::Task<void> Stream::fill() {
    const auto room = reader_.buffer(kReadSize);
    const auto [error, size] =
        co_await socket_.async_read_some(asio::buffer(room.data(), room.size()), base::use_result);
    if (error == asio::error::eof) {
        over_ = base::fail(Errc::closed, where() + " closed the connection");
    } else if (error) {
        over_ = base::fail(closed_ ? Errc::closed : Errc::io,
                           "the link to " + where() + " broke: " + error.message());
    } else {
        const auto parsed = reader_.parse(size);
        take_events();
        if (!parsed && !over_)
            over_ = base::fail(parsed.error().code, where() + ": " + parsed.error().text);
    }
}

void Stream::take_events() {
    // What was complete before a mistake still counts: it may be the stream error that explains it.
    for (auto& event : reader_.take_events()) {
        if (over_) break;
        const auto* stanza = std::get_if<TagStanza>(&event);
        if (stanza != nullptr && stanza->tag->name() == "error" &&
            stanza->tag->xmlns() == ns::kStreams) {
            over_ = describe(*stanza->tag);  // RFC 6120 4.9.1.1
        } else if (std::holds_alternative<StreamClosed>(event)) {
            over_ = base::fail(Errc::closed, where() + " ended the stream");
        } else {
            events_.push_back(std::move(event));
        }
    }
}

base::Task<base::Result<std::vector<XmlEvent>>> Stream::read() {
    const auto self = shared_from_this();
    while (events_.empty() && !over_)
        co_await fill();
    if (events_.empty()) {
        close();
        co_return *over_;
    }
    std::vector<XmlEvent> events(std::make_move_iterator(events_.begin()),
                                 std::make_move_iterator(events_.end()));
    events_.clear();
    co_return events;
}

base::Result<void> Stream::send(std::string stanza, std::size_t backlog) {
    if (!open_ || closed_ || ending_)
        return base::fail(Errc::closed, "there is no link to " + where());
    if (stanza.size() > settings_.max_stanza) {
        return base::fail(Errc::limit, fmt::format("a stanza of {} bytes is over our limit of {}",
                                                   stanza.size(), settings_.max_stanza));
    }
    if (this->backlog() + stanza.size() > backlog)
        return base::fail(Errc::busy, "too much waits to be written to " + where());
    if (waiting_.empty()) {
        waiting_ = std::move(stanza);
    } else {
        waiting_ += stanza;
    }
    to_write_.notify();
    return {};
}

base::Task<void> Stream::write_all() {
    while (!closed_) {
        if (waiting_.empty()) {
            if (ending_) break;
            const bool woken = co_await to_write_.wait(kKeepAlive);
            if (!woken && waiting_.empty() && !closed_) waiting_ = " ";
            continue;
        }
        const std::string bytes = std::exchange(waiting_, {});
        in_flight_ = bytes.size();
        base::crash_point("stream.before-write");
        const auto [error, size] =
            co_await asio::async_write(socket_, asio::buffer(bytes), base::use_result);
        base::crash_point("stream.written");
        in_flight_ = 0;
        if (error) close();  // read() then tells why
    }
    written_.notify();
}

base::Task<void> Stream::finish(std::chrono::milliseconds limit) {
    const auto self = shared_from_this();
    if (open_ && !closed_) {
        waiting_ += "</stream:stream>";
        ending_ = true;
        to_write_.notify();
        co_await written_.wait(limit);
    }
    close();
}

void Stream::close() {
    if (std::exchange(closed_, true)) return;
    boost::system::error_code ignored;
    resolver_.cancel();
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    to_write_.notify();
}

base::Error Stream::describe(const gloox::Tag& stream_error) const {
    std::string condition = "undefined-condition";
    std::string text;
    for (const auto* child : stream_error.children()) {
        if (child->xmlns() != ns::kStreamErrors) continue;
        if (child->name() == "text") {
            text = base::printable(child->cdata(), base::limits::kStatusText);
        } else {
            condition = base::printable(child->name(), base::limits::kStatusText);
        }
    }
    std::string why = condition;
    if (condition == "not-authorized") why += ": the secret does not match";
    if (condition == "host-unknown") why += ": the server has no component " + settings_.jid;
    if (condition == "conflict") why += ": another connection already is " + settings_.jid;
    if (!text.empty()) why += " (" + text + ')';
    return base::fail(Errc::refused, where() + " says " + why);
}

}  // namespace component
