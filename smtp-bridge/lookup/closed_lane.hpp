// ClosedLaneRule: what the policy service says of mail that comes by SMTP though its envelope
// sender's domain has promised that its mail comes over XMPP (queue/peer_promise), and of mail that
// claims a domain whose class is bad.
//
// Values and pure functions, but for MarkedMessages, which remembers what was marked; any thread.
//
// Tested by tests/unit/smtp-bridge/lookup/closed_lane_test.cpp.
#pragma once

#include "base/result.hpp"
#include "mail/domain.hpp"
#include "queue/peer_promise.hpp"
#include "smtp-bridge/wire/network.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace smtp_bridge {

enum class ClosedLaneMode : std::uint8_t {
    off,     ///< nobody looks
    log,     ///< the log says so
    mark,    ///< the message gets a field
    reject,  ///< it is refused, or put off if the promise can't be confirmed
};

const char* to_text(ClosedLaneMode mode);

struct ClosedLaneSettings {
    ClosedLaneMode mode = ClosedLaneMode::log;
    std::vector<Network> exempt_networks;  ///< our own, and those of the backup MX
    std::set<std::string> exempt;          ///< senders' domains, A-labels
    std::string mark_token;                ///< of the field's name; empty: nothing is marked

    bool is_exempt(const mail::Domain& sender, std::string_view client) const;
    bool marks() const {
        return !mark_token.empty() &&
               (mode == ClosedLaneMode::mark || mode == ClosedLaneMode::reject);
    }
};

/// A word that may stand in a field's name, and that nobody guesses: 16 to 64 letters and digits.
/// Errc::syntax.
base::Result<std::string> parse_mark_token(std::string_view text);

/// Which messages have got which mark: Postfix asks for each recipient, and one field is enough.
/// The last thousand.
class MarkedMessages {
  public:
    /// False if it has got that one.
    bool is_new(const std::string& instance, const std::string& mark);

  private:
    static constexpr std::size_t kMost = 1000;
    std::mutex mutex_;
    std::set<std::string> known_;
    std::deque<std::string> order_;
};

/// The action (access(5) of Postfix) on a recipient of a mail. `against`: the class of `sender`;
/// none: it says nothing.
std::string closed_lane_action(const ClosedLaneSettings& settings, const mail::Domain& sender,
                               queue::PromiseFinding finding, queue::PeerClass against,
                               const std::string& instance, MarkedMessages& marked);

}  // namespace smtp_bridge
