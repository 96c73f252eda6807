// RelayProbe: which of two mail servers sends mail on to other domains, asked without sending any;
// so that it is seen when deliver-to and return-to stand in each other's place.
//
// On the event loop. Whatever can't be had leaves the answer open; it never fails.
#pragma once

#include "smtp-bridge/client/client.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace smtp_bridge {

enum class Relaying : std::uint8_t {
    takes,
    refuses,  ///< as such (X.7.1 of RFC 3463 3.8, or in words), not for that domain's sake
    unknown,  ///< it can't be reached, or said something else
};

/// What a server's answer to the RCPT of a domain that is nobody's says of it.
Relaying relaying_of(const mail::Reply& reply);

struct HandOverState {
    bool known = true;    ///< all that had to be asked have answered
    std::string refuses;  ///< the return-to that sends nothing on, with its words; or empty
    std::string
        takes_foreign;  ///< the deliver-to that does, if there is such a return-to; or empty

    /// The certain finding: mail for us would go out again, and mail that has to go out would fail.
    bool is_swapped() const { return !refuses.empty() && !takes_foreign.empty(); }
    /// Both together, in one line.
    std::string to_text() const;
};

/// Asks each of `return_to`, and those of `deliver_to` only if one of the former refuses. Takes
/// `limit` in all, at the most.
base::Task<HandOverState> probe_hand_over(std::vector<Target> deliver_to,
                                          std::vector<Target> return_to, ClientSettings settings,
                                          std::chrono::milliseconds limit);

}  // namespace smtp_bridge
