// LogLimiter: what peers do wrong is logged at once, and then at most once a minute, with a count
// of what was left out.
//
// One for each link (Link::log_limiter()): anybody on the XMPP network can cause such lines, as
// many as stanzas. It owns a count for each peer and kind of complaint; a peer is an organisation,
// as who has a domain can make up as many users and names below it as he likes. Bounded: beyond
// kRemembered, peers share one count for each kind, so kinds are this program's words and never a
// peer's. Event loop only; cannot fail.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace component {

class LogLimiter {
  public:
    static constexpr std::size_t kRemembered = 1000;  ///< pairs of a peer and a kind
    static constexpr std::chrono::seconds kQuiet{60};

    explicit LogLimiter(const base::Clock& clock) : clock_(clock) {}

    /// Whether to log a complaint of this `kind` about `peer` (a JID): nothing if not, else how
    /// many like it have been left out since the last one.
    std::optional<std::uint64_t> admit(std::string_view peer, std::string_view kind);

    struct LeftOut {
        std::string peer;  ///< an organisation's domain; empty: of many peers
        std::string kind;
        std::uint64_t count = 0;
    };
    /// What was left out until a minute ago or longer, for the log; forgets peers that behave.
    std::vector<LeftOut> take_left_out();

  private:
    struct Count {
        base::SteadyPoint logged{};
        std::uint64_t left_out = 0;
    };
    using Key = std::pair<std::string, std::string>;  // the organisation's name, and the kind

    bool is_quiet(const Count& count) const;

    const base::Clock& clock_;
    std::map<Key, Count> counts_;
};

}  // namespace component
