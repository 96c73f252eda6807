#include "smtp-bridge/wire.hpp"

#include <cstring>

#include <boost/asio.hpp>
#include <sys/socket.h>

namespace smtp_bridge {

using base::Errc;
using base::fail;

Wire::Wire(Socket socket, std::size_t capacity)
    : socket_(std::move(socket)), buffer_(capacity), deadline_(socket_.get_executor(), [this] {
          // Not closed: there may be a last word to say, like 421.
          timed_out_ = true;
          boost::system::error_code ignored;
          socket_.cancel(ignored);
      }) {}

void Wire::consume(std::size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
}

base::Error Wire::why(const boost::system::error_code& error, std::string_view doing) const {
    if (timed_out_) return fail(Errc::timeout, "timed out while " + std::string(doing));
    if (interrupted_) return fail(Errc::closed, "stopping");
    if (error == asio::error::eof) return fail(Errc::closed, "the other end closed the connection");
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
    timed_out_ = false;
    filling_ = true;
    deadline_.arm(limit);
    const auto room = asio::buffer(buffer_.data() + end_, buffer_.size() - end_);
    const auto [error, bytes] = co_await socket_.async_read_some(room, base::use_result);
    deadline_.disarm();
    filling_ = false;
    end_ += bytes;
    if (error) co_return why(error, "reading");
    co_return base::Result<void>();
}

base::Task<base::Result<void>> Wire::flush(std::chrono::milliseconds limit) {
    if (output_.empty()) co_return base::Result<void>();
    timed_out_ = false;
    deadline_.arm(limit);
    const auto bytes_out = asio::buffer(output_.data(), output_.size());
    const auto [error, bytes] = co_await asio::async_write(socket_, bytes_out, base::use_result);
    deadline_.disarm();
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

bool Wire::is_quiet() {
    if (!socket_.is_open() || !input().empty()) return false;
    char byte = 0;
    const auto got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace smtp_bridge
