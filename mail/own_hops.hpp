// Own hops: how often a message has come through us before, as its Received fields say.
//
// Pure. A field counts that names us as trace.hpp writes us, so that those of a mail server that
// has our host's name don't. A stranger may write such fields, too, and harms nobody else's mail.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace mail {

/// Beyond it mail is in a loop: what is forwarded to and fro rightly comes through us a few times.
inline constexpr std::size_t kMostOwnHops = 5;

/// Received fields in the header (of its first limits::kHeader bytes) that are `by` one of
/// `components` (JIDs) `via XMPP`, or `by` the host `hostname` with the comment `(Packetboat)`. An
/// empty `hostname` is nobody's.
std::size_t own_hops(std::string_view content, const std::set<std::string>& components,
                     std::string_view hostname);

/// The id in the value of a Received field that one of `components` has written for a transfer, as
/// above; empty if it is no such field.
std::string transfer_of_hop(std::string_view value, const std::set<std::string>& components);

}  // namespace mail
