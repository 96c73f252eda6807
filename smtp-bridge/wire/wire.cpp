#include "smtp-bridge/wire/wire.hpp"

#include <cstring>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <sys/socket.h>

namespace smtp_bridge {

using base::Errc;
using base::fail;

struct Wire::Tls {
    Tls(Socket& socket, TlsContext c) : context(std::move(c)), stream(socket, *context) {}

    TlsContext context;  ///< has to outlive the stream
    asio::ssl::stream<Socket&> stream;
};

Wire::~Wire() = default;

Wire::Wire(Socket socket, std::size_t capacity)
    : socket_(std::move(socket)), buffer_(capacity), deadline_(socket_.get_executor(), [this] {
          // Not closed: there may be a last word to say, like 421.
          timed_out_ = true;
          boost::system::error_code ignored;
          socket_.cancel(ignored);
      }) {}

base::Task<base::Result<void>> Wire::start_tls(TlsContext context, std::string server_name,
                                               std::chrono::milliseconds limit) {
    namespace ssl = asio::ssl;
    begin_ = end_ = 0;
    auto tls = std::make_unique<Tls>(socket_, std::move(context));
    const bool is_client = !server_name.empty();
    if (is_client) {
        // RFC 6066 3: a name without its final dot, and never an address.
        if (server_name.ends_with('.')) server_name.pop_back();
        boost::system::error_code ignored;
        tls->stream.set_verify_callback(ssl::host_name_verification(server_name), ignored);
        boost::system::error_code is_name;
        asio::ip::make_address(server_name, is_name);
        if (is_name) SSL_set_tlsext_host_name(tls->stream.native_handle(), server_name.c_str());
    }
    filling_ = true;
    begin_wait(limit);
    const auto side = is_client ? ssl::stream_base::client : ssl::stream_base::server;
    const auto [error] = co_await tls->stream.async_handshake(side, base::use_result);
    end_wait();
    filling_ = false;
    if (error) co_return why(error, "starting TLS");
    tls_ = std::move(tls);
    co_return base::Result<void>();
}

void Wire::begin_wait(std::chrono::milliseconds limit) {
    timed_out_ = false;
    waiting_since_ = std::chrono::steady_clock::now();
    deadline_.arm(limit);
}

void Wire::end_wait() {
    deadline_.disarm();
    waiting_since_.reset();
}

void Wire::consume(std::size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
}

base::Error Wire::why(const boost::system::error_code& error, std::string_view doing) const {
    if (timed_out_) return fail(Errc::timeout, "timed out while " + std::string(doing));
    if (interrupted_) return fail(Errc::closed, "stopping");
    if (error == asio::error::eof || error == asio::ssl::error::stream_truncated)
        return fail(Errc::closed, "the other end closed the connection");
    return fail(Errc::closed, "while " + std::string(doing) + ": " + error.message());
}

base::Task<base::Result<void>> Wire::fill(std::chrono::milliseconds limit) {
    if (interrupted_) co_return fail(Errc::closed, "stopping");
    if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (end_ == buffer_.size()) co_return fail(Errc::limit, "the input buffer is full");
    filling_ = true;
    begin_wait(limit);
    const auto room = asio::buffer(buffer_.data() + end_, buffer_.size() - end_);
    boost::system::error_code error;
    std::size_t bytes = 0;
    if (tls_)
        std::tie(error, bytes) = co_await tls_->stream.async_read_some(room, base::use_result);
    else
        std::tie(error, bytes) = co_await socket_.async_read_some(room, base::use_result);
    end_wait();
    filling_ = false;
    end_ += bytes;
    if (error) co_return why(error, "reading");
    co_return base::Result<void>();
}

base::Task<base::Result<void>> Wire::flush(std::chrono::milliseconds limit) {
    if (output_.empty()) co_return base::Result<void>();
    begin_wait(limit);
    const auto bytes_out = asio::buffer(output_.data(), output_.size());
    boost::system::error_code error;
    std::size_t bytes = 0;
    if (tls_)
        std::tie(error, bytes) =
            co_await asio::async_write(tls_->stream, bytes_out, base::use_result);
    else
        std::tie(error, bytes) = co_await asio::async_write(socket_, bytes_out, base::use_result);
    end_wait();
    output_.clear();
    if (error) co_return why(error, "writing");
    co_return base::Result<void>();
}

void Wire::interrupt() {
    interrupted_ = true;
    boost::system::error_code ignored;
    if (filling_) socket_.cancel(ignored);
}

void Wire::close() {
    interrupted_ = true;
    boost::system::error_code ignored;
    socket_.close(ignored);
}

void Wire::dismiss(std::string_view word) {
    boost::system::error_code ignored;
    if (!tls_ && output_.empty() && socket_.is_open()) {
        socket_.non_blocking(true, ignored);
        socket_.write_some(asio::buffer(word.data(), word.size()), ignored);
    }
    close();
}

bool Wire::is_quiet() {
    if (!socket_.is_open() || !input().empty()) return false;
    char byte = 0;
    const auto got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace smtp_bridge
