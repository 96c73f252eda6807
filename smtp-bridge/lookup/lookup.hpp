// Lookup: the port between the LookupServer, which has the sockets, and the protocols in which mail
// servers ask it (RouteLookup, PolicyLookup).
//
// Tested by tests/unit/smtp-bridge/lookup/lookup_server_test.cpp.
#pragma once

#include "base/result.hpp"
#include "mail/domain.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace smtp_bridge {

/// An answer that somebody else has to be asked for.
struct OpenAnswer {
    /// Takes the answer, once, on whatever thread.
    using Tell = std::function<void(std::string)>;

    std::function<void(Tell)> ask;
    std::function<std::string()> otherwise;  ///< the answer, if nobody tells one in time
};

struct LookupAnswer {
    std::size_t used = 0;              ///< bytes of the request; 0: it is not complete
    std::optional<OpenAnswer> open{};  ///< nothing: the answer was appended
};

class Lookup {
  public:
    /// Hears of a domain of which nothing is known.
    using OnMiss = std::function<void(const mail::Domain&)>;

    virtual ~Lookup() = default;
    /// Answers the first request in `input`, by appending to `output`, or leaves the answer open.
    /// Errc::syntax, Errc::limit: the client breaks the protocol. Called on the lookup thread: no
    /// I/O, no waiting.
    virtual base::Result<LookupAnswer> answer(std::string_view input, std::string& output,
                                              const OnMiss& on_miss) const = 0;
};

}  // namespace smtp_bridge
