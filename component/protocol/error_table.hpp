// The error table: what an IQ that got no verdicts means for the transfers in it (protocol, "What
// an IQ error means to a sender"); the conditions are those of RFC 6120 8.3.3.
//
// Pure, so that each row has its test.
#pragma once

#include "component/protocol/failure.hpp"
#include "component/protocol/iq_reply.hpp"

namespace component {

/// For every reply but Verdicts.
Failure classify(const IqReply& reply);
/// The same, of a request that nobody answered although the peer does answer others: then it is
/// this request that fails, by itself, and not the peer that is silent.
Failure on_request_alone(Failure failure);
/// The peer itself has spoken, whatever it said.
bool is_word_of_peer(const IqReply& reply);
/// False only if it is certain that nothing of the request left.
bool may_have_left(const IqReply& reply);
/// Whether to ask if the peer is there, after this reply: it was not heard, and no end of a stream
/// explains that.
bool is_unexplained(const IqReply& reply);

}  // namespace component
