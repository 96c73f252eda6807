// Lookup: the port between the LookupServer, which has the sockets, and the protocols in which mail
// servers ask it (RouteLookup, PolicyLookup).
//
// Tested by tests/unit/smtp-bridge/lookup/lookup_server_test.cpp.
#pragma once

#include "base/result.hpp"
#include "mail/domain.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace smtp_bridge {

class Lookup {
  public:
    /// Hears of a domain of which nothing is known.
    using OnMiss = std::function<void(const mail::Domain&)>;

    virtual ~Lookup() = default;
    /// Answers the first request in `input`, by appending to `output`. Returns how many bytes it
    /// was; 0 if it is not complete. Errc::syntax, Errc::limit: the client breaks the protocol.
    /// Called on the lookup thread: no I/O, no waiting.
    virtual base::Result<std::size_t> answer(std::string_view input, std::string& output,
                                             const OnMiss& on_miss) const = 0;
};

}  // namespace smtp_bridge
