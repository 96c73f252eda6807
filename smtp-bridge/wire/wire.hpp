// Wire: a connected socket with one bounded input buffer, one output buffer, and a time limit on
// every operation; from start_tls() on, encrypted.
//
// Used by one coroutine at a time; interrupt() and close() may be called by others on the same
// loop. Its errors are values: Errc::closed (end, reset, interrupted), Errc::timeout, Errc::limit
// (buffer full).
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"
#include "smtp-bridge/wire/endpoint.hpp"
#include "smtp-bridge/wire/tls.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smtp_bridge {

class Wire {
  public:
    Wire(Socket socket, std::size_t capacity);
    ~Wire();
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    /// The handshake of STARTTLS. Drops what has been read and not consumed: it was sent in the
    /// clear, perhaps by somebody in between. `server_name`: whose certificate a client wants to
    /// see; empty for a server. Errc::closed if it fails, with OpenSSL's words.
    base::Task<base::Result<void>> start_tls(TlsContext context, std::string server_name,
                                             std::chrono::milliseconds limit);
    bool is_tls() const { return tls_ != nullptr; }

    /// What has been read and not yet consumed. Valid until the next fill().
    std::string_view input() const { return {buffer_.data() + begin_, end_ - begin_}; }
    void consume(std::size_t bytes);
    /// Waits for at least one more byte of input.
    base::Task<base::Result<void>> fill(std::chrono::milliseconds limit);

    /// Appends to the output; nothing is sent before flush().
    void put(std::string_view text) { output_ += text; }
    /// To append larger things without a copy.
    std::string& output() { return output_; }
    std::size_t waiting() const { return output_.size(); }
    /// Sends all output. The limit is for the whole of it.
    base::Task<base::Result<void>> flush(std::chrono::milliseconds limit);

    /// From now on fill() fails with Errc::closed, one that is under way included; flush() still
    /// works.
    void interrupt();
    void close();
    /// Closes, with a last word if it can be said at once and in the clear.
    void dismiss(std::string_view word);
    /// Since when the other end has been waited for; nothing while it is not.
    std::optional<std::chrono::steady_clock::time_point> waiting_since() const {
        return waiting_since_;
    }
    bool interrupted() const { return interrupted_; }
    asio::any_io_executor executor() { return socket_.get_executor(); }
    /// False if the other end has closed, or said something that nobody asked for.
    bool is_quiet();

  private:
    struct Tls;

    void begin_wait(std::chrono::milliseconds limit);
    void end_wait();
    base::Error why(const boost::system::error_code& error, std::string_view doing) const;

    Socket socket_;
    std::unique_ptr<Tls> tls_;  ///< nullptr: in the clear
    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::string output_;
    base::Deadline deadline_;
    std::optional<std::chrono::steady_clock::time_point> waiting_since_;
    bool timed_out_ = false;
    bool filling_ = false;
    bool interrupted_ = false;
};

}  // namespace smtp_bridge
