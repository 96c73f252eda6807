// ServerSession: one SMTP or LMTP client from its connection to its end.
//
// Owns the socket; one coroutine on the event loop. Everything that goes wrong ends in a reply or
// in the end of the session, never in an exception.
//
// Tested by tests/unit/smtp-bridge/server/server_test.cpp and
// tests/unit/smtp-bridge/server/server_extensions_test.cpp.
#pragma once

#include "queue/ports.hpp"
#include "smtp-bridge/server/command.hpp"
#include "smtp-bridge/server/incoming_message.hpp"
#include "smtp-bridge/server/listener_settings.hpp"
#include "smtp-bridge/server/transaction.hpp"
#include "smtp-bridge/wire/wire.hpp"

#include <memory>
#include <optional>
#include <string>

namespace smtp_bridge {

class ServerSession final : public Guest {
  public:
    /// `settings`, `router` and `intake` have to outlive run(). `client`: its address.
    ServerSession(Socket socket, std::string client, const ListenerSettings& settings,
                  const queue::Router& router, queue::Intake& intake);

    /// Greets and serves until either end is done.
    base::Task<void> run();
    /// The session ends with 421 at the next command; a message that is being committed is answered
    /// first, one that is still being received is not taken.
    void stop();

    const std::string& client() const override { return address_; }
    std::optional<std::chrono::steady_clock::time_point> silent_since() const override {
        return wire_.waiting_since();
    }
    bool is_at_work() const override { return transaction_.is_started(); }
    void send_away() override;

  private:
    enum class Next : std::uint8_t { go_on, end };

    base::Task<base::Result<std::string>> next_line();
    base::Task<Next> handle(std::string line);
    base::Task<Next> receive_data();
    base::Task<base::Result<void>> read_data(IncomingMessage& message);
    base::Task<Next> receive_chunk(Chunk chunk);
    base::Task<base::Result<void>> read_chunk(std::uint64_t size);
    base::Task<Next> unreadable(base::Error why, std::size_t answers);
    base::Task<void> store(IncomingMessage& message);
    base::Task<Next> start_tls();
    void drop_message();
    Next impersonate(const XclientAttributes& attributes);
    std::optional<mail::Reply> refuse_rate();
    base::Task<void> farewell(base::Error why);
    Next answer(const Command& command, std::string_view line);
    Next refuse(std::string_view line, const mail::Reply& reply);
    Next refuse_line(std::string_view line, const mail::Reply& reply);
    Next hang_up(std::string_view line, const mail::Reply& reply);
    void say(const mail::Reply& reply);
    void say_for_message(const mail::Reply& reply, std::size_t recipients);
    void say_extensions();

    const ListenerSettings& settings_;
    queue::Intake& intake_;
    const std::string address_;        ///< of the connection
    std::string client_;               ///< whom it speaks for: the same, but for XCLIENT
    bool trusted_;                     ///< may say XFORWARD and XCLIENT
    std::optional<std::size_t> rate_;  ///< mails a minute of this client
    Wire wire_;
    IntakeBudget::Hold hold_;
    Transaction transaction_;
    std::unique_ptr<IncomingMessage> chunks_;   ///< what BDAT has brought of a message so far
    std::optional<mail::Reply> chunk_refusal_;  ///< the rest of which is refused with this
    std::size_t bad_commands_ = 0;
    bool bad_input_logged_ = false;
};

}  // namespace smtp_bridge
