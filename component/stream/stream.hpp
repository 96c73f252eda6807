// Stream: one connection to our own XMPP server as a component (XEP-0114 3), from connect to close.
//
// Owns the socket, the reader and what waits to be written; one coroutine writes. Event loop only;
// held by shared_ptr, as the writer outlives a caller that gives up. Fails with one Error that says
// what and where: Errc::io (network), Errc::refused (the server said no), Errc::protocol,
// Errc::timeout, Errc::closed.
//
// Tested by tests/unit/component/stream/session_test.cpp.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"
#include "component/stream/link.hpp"
#include "component/stream/xml_reader.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace component {

class Stream : public std::enable_shared_from_this<Stream> {
  public:
    Stream(base::asio::any_io_executor executor, ComponentSettings settings);

    /// Connects, opens the stream (RFC 6120 4.2) and proves the secret, within
    /// limits::kConnectTime.
    base::Task<base::Result<void>> open();
    /// The next events, at least one. Fails when the stream is over; a stream error of the server
    /// (RFC 6120 4.9.2) is told with its condition and text.
    base::Task<base::Result<std::vector<XmlEvent>>> read();
    /// Puts a complete stanza behind what waits already. Errc::closed; Errc::busy if more than
    /// `backlog` bytes would wait then; Errc::limit above settings.max_stanza: it is never sent
    /// then.
    base::Result<void> send(std::string stanza, std::size_t backlog = base::limits::kStreamBacklog);
    /// Bytes that wait to be written, or are being written.
    std::size_t backlog() const { return waiting_.size() + in_flight_; }
    /// Sends the end of the stream (RFC 6120 4.4), behind all that waits, and closes within
    /// `limit`.
    base::Task<void> finish(std::chrono::milliseconds limit);
    /// At once. What waits is lost.
    void close();

  private:
    base::Task<base::Result<void>> connect_and_prove();
    base::Task<base::Result<void>> connect();
    base::Task<base::Result<void>> handshake();
    base::Task<base::Result<XmlEvent>> next();
    base::Task<void> fill();
    base::Task<void> write_all();
    void take_events();
    base::Error describe(const gloox::Tag& stream_error) const;
    std::string where() const;

    base::asio::any_io_executor executor_;
    ComponentSettings settings_;
    base::asio::ip::tcp::socket socket_;
    base::asio::ip::tcp::resolver resolver_;
    base::Deadline deadline_;
    XmlReader reader_;
    std::deque<XmlEvent> events_;
    std::optional<base::Error> over_;  ///< why the stream is over, once it is
    std::string waiting_;              ///< to be written
    std::size_t in_flight_ = 0;        ///< bytes being written
    base::Signal written_;
    base::Signal to_write_;
    bool open_ = false;
    bool closed_ = false;
    bool ending_ = false;
};

/// The lower-case hexadecimal SHA-1 of stream id and secret (XEP-0114 3).
std::string handshake_digest(std::string_view stream_id, std::string_view secret);

}  // namespace component
