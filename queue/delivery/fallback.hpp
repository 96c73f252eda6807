// Fallback: mail of Lane::xmpp that goes by SMTP after all, and mail that must not. Storage thread.
//
// Only what was never sent is moved here. What may have left has to be called back from its peer
// first (the fence, protocol rule 4), which LeasedMessage::call_back is for.
//
// And mail of a component that the administrator has renamed or given up.
#pragma once

#include "queue/ports.hpp"
#include "queue/store/store.hpp"

#include <optional>
#include <string>

namespace queue {

inline const Destination kRelay{Lane::relay, "", ""};

/// The way of mail of `destination` that does not go over XMPP: by SMTP; or into our own MTA, where
/// the domain is served here by now.
Destination way_around(const Store& store, const Destination& destination);

/// Whether the component that was to send it is none of ours any more.
bool is_orphaned(const Store& store, const Destination& destination);

/// One recipient of `destination`, of whose mail nothing may have left, and which its component is
/// not to send any more, for `why`: it goes by the one that sends for its sender now, or else
/// around. Nothing: there is no such, XMPP is required, and it stays. Errc::damaged.
base::Result<std::optional<Destination>> move_from_component(Store& store,
                                                             const Destination& destination,
                                                             QueueId message, std::int64_t n,
                                                             const std::string& why);

/// The peer can't be reached now, for `why`: what came until this time, and was never sent, has
/// waited for it too long and goes by SMTP. Nothing: all waits on.
std::optional<base::TimePoint> given_up_until(Store& store, const Destination& destination,
                                              const Deferred& why);

/// Where the administrator requires XMPP: what mail that can't go over it now, for `why`, is told.
std::optional<Deferred> must_wait(const Store& store, const Destination& destination,
                                  const std::string& why);

/// Why a message that came at `received_at` is not to wait for its peer any longer, if so.
std::optional<std::string> waits_too_long(Store& store, const Destination& destination,
                                          base::TimePoint received_at);

/// One recipient of `destination`, of whose mail nothing may have left. Returns where it goes now.
Destination move_around(Store& store, const Destination& destination, QueueId message,
                        std::int64_t n, const std::string& why);

/// What mail to a domain that requires XMPP is told instead of going by SMTP.
std::string required_text(const Destination& destination, const std::string& why);

}  // namespace queue
