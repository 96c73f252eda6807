// Stanza bounds: how much may go into one stanza to a peer (protocol, "Capability form").
//
// Pure.
//
// Tested by tests/unit/component/outgoing/xmpp_courier_test.cpp.
#pragma once

#include "component/stream/capability.hpp"
#include "component/stream/link.hpp"

#include <cstddef>

namespace component {

/// The longest stanza, in bytes, that may go from us to a peer.
std::size_t stanza_bound(const ComponentSettings& ours, const Capability& theirs);
/// What is left of it for the payload.
std::size_t payload_bound(const ComponentSettings& ours, const Capability& theirs);
/// How many recipients may be in such a stanza: the answer has to pass the same links.
std::size_t recipients_bound(const ComponentSettings& ours, const Capability& theirs);

}  // namespace component
