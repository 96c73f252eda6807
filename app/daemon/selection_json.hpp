// selection_json: the filters of `packetboat queue`, as they come over the control socket.
//
// The one place that checks what an administrator typed. Pure.
#pragma once

#include "base/result.hpp"
#include "queue/ledger/administration.hpp"

#include <optional>

#include <boost/json.hpp>

namespace app {

/// From the keys "ids" (an array), "state" (words with commas), "lane", "from", "to", "domain",
/// "sender_domain", "older", "newer" (durations); all are texts, and none has to be there.
/// Errc::syntax with one line that says what is wrong; Errc::conflict if nothing can match.
base::Result<queue::Selection> read_selection(const boost::json::object& asked,
                                              base::TimePoint now);
/// From the key "limit": limits::kListed if there is none. Errc::syntax.
base::Result<std::size_t> read_limit(const boost::json::object& asked);
/// From the key "after", an object as write_after() makes it: where a list goes on; nothing if
/// there is none. Errc::syntax.
base::Result<std::optional<queue::Selected>> read_after(const boost::json::object& asked);
boost::json::object write_after(const queue::Selected& place);

}  // namespace app
