// IqReply: what may become of an IQ that was sent: an answer of either kind, or none.
//
// Tested by tests/unit/component/protocol/error_table_test.cpp.
#pragma once

#include "base/result.hpp"
#include "component/protocol/stanza_error.hpp"
#include "component/protocol/transfer.hpp"

#include <memory>
#include <variant>

#include <gloox/tag.h>

namespace component {

/// No answer came: what was sent may have arrived nevertheless, unless `written` is false.
struct NoAnswer {
    base::Error error;
    bool written = true;  ///< false: it is certain that nothing of the request left
};
/// A result without, or with another payload than one of the transfer protocol.
struct TagResult {
    std::shared_ptr<const gloox::Tag> iq;
};
using IqReply = std::variant<TagResult, Verdicts, Ack, Mirrored, Malformed, StanzaError, NoAnswer>;

}  // namespace component
