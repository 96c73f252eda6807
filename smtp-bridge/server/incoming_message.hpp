// IncomingMessage: the message behind DATA or BDAT while it comes in, of which only a piece is in
// memory.
//
// Up to limits::kInlineContent it is kept in memory, beyond that in a spool of the queue's, which
// is gone with it. Owned by a session, on the event loop. A spool that fails is no reason to stop
// reading: the rest is dropped, and the error is the answer to the whole message.
#pragma once

#include "queue/ports.hpp"
#include "smtp-bridge/server/data_reader.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace smtp_bridge {

class IncomingMessage {
  public:
    /// `intake` has to outlive it. `max_size`: as for the DataReader.
    IncomingMessage(queue::Intake& intake, std::size_t max_size,
                    DataReader::Framing framing = DataReader::Framing::dots);

    const DataReader& reader() const { return reader_; }
    void reserve(std::size_t bytes) { reader_.reserve(bytes); }
    /// DataReader::feed. With a fault, what is on the disk is dropped, too.
    std::size_t feed(std::string_view input);
    /// DataReader::finish.
    void finish();
    /// There is more in memory than should be: time to spill().
    bool is_full() const;
    /// Puts what is in memory on the disk.
    base::Task<void> spill();
    /// The whole message; only when the reader is done, without a fault. Errc::storage.
    base::Task<base::Result<queue::Content>> content();
    /// The file that content() is in, if it is in one. It stays as long as this lives.
    std::optional<queue::QueueId> file() const;

  private:
    queue::Intake& intake_;
    DataReader reader_;
    std::shared_ptr<queue::Spool> spool_;  ///< nullptr: all is in memory
    std::optional<base::Error> failure_;   ///< of the spool
};

}  // namespace smtp_bridge
