#include "component/outgoing/stanza_bounds.hpp"

#include "component/protocol/transfer_codec.hpp"

#include <algorithm>

namespace component {
namespace {

constexpr std::size_t kIqOverhead = 400;  // bytes around a payload: <iq/>, an id, two JIDs

}  // namespace

std::size_t stanza_bound(const ComponentSettings& ours, const Capability& theirs) {
    // Servers write stanzas anew, with other quotes and prefixes.
    return std::min(ours.max_stanza, theirs.max_stanza) / 10 * 9;
}

std::size_t payload_bound(const ComponentSettings& ours, const Capability& theirs) {
    const std::size_t bound = stanza_bound(ours, theirs);
    return bound - std::min(bound, kIqOverhead);
}

std::size_t recipients_bound(const ComponentSettings& ours, const Capability& theirs) {
    return std::min(theirs.max_recipients, answered_recipients(payload_bound(ours, theirs)));
}

}  // namespace component
