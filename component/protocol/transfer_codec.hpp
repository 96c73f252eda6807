// The transfer codec: writes the payloads of the transfer protocol, and computes the digest of a
// transfer.
//
// Pure functions, but for the BlockCodec that is passed in. Reading is the transfer parser's.
#pragma once

#include "base/result.hpp"
#include "component/protocol/block_codec.hpp"
#include "component/protocol/transfer.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <string>

namespace component {

struct EncodeOptions {
    bool deflate = true;
};

/// `messages` (at least one), whose contents are in memory, as the payload of an IQ. Errc::protocol
/// if a value cannot be written as XML. An orcpt whose xtext exceeds limits::kOrcpt is left out: it
/// serves reports only.
base::Result<std::string> encode_transfers(std::span<const OutgoingMessage> messages,
                                           EncodeOptions options, BlockCodec& codec);

/// `message` as <open/>: all but its content, whose hash is `hash`. Errc::protocol as above.
base::Result<std::string> encode_open(const OutgoingMessage& message, const mail::Sha256& hash);
/// The bytes of a content from `offset` on as <chunk/>.
std::string encode_chunk(const queue::TransferKey& key, std::uint64_t offset,
                         std::string_view bytes, bool deflate, BlockCodec& codec);
std::string encode_commit(const queue::TransferKey& key);
/// `digest`: of the transfer that is meant. Without it the key alone is asked about, and no verdict
/// may be taken from the answer.
std::string encode_status(const queue::TransferKey& key,
                          const std::optional<mail::Sha256>& digest = {});
std::string encode_abort(const queue::TransferKey& key, base::TimePoint expires,
                         const std::optional<mail::Sha256>& digest);
std::string encode_ack(const Ack& ack);
std::string encode_complaint(const queue::Complaint& complaint);
/// Errc::protocol if a value cannot be written as XML. Texts are cut to limits::kStatusText.
base::Result<std::string> encode_report(const queue::PeerReport& report);

/// `verdicts` as the payload of an IQ result. Replies that are no replies of SMTP (a wrong class,
/// say) are made ones; texts are cut to `longest_text` bytes.
std::string encode_verdicts(std::span<const Verdict> verdicts, std::size_t longest_text);

/// Over the parsed values of envelope and hash, never over XML or encoding (protocol,
/// "Idempotency").
mail::Sha256 digest_of(const IncomingTransfer& transfer);
/// The same, of what the peer reads of `message`. `hash`: of its content.
mail::Sha256 digest_of(const OutgoingMessage& message, const mail::Sha256& hash);

/// Bytes of an <open/> for `envelope`, at most, without its recipients: every transfer has to fit
/// into one, as its content may go in pieces and its envelope may not.
std::size_t size_of_open(const mail::Envelope& envelope, bool dsn);
/// Bytes that this recipient adds to it.
std::size_t size_of_recipient(const mail::Recipient& recipient, bool dsn);

/// The bytes of an answer's payload where stanzas of `bound` bytes pass: servers write it anew.
constexpr std::size_t room_for_answer(std::size_t bound) {
    return bound / 10 * 8;
}

/// How many recipients may be in one stanza, if its answer, which has a line for each, is to stay
/// within `bound` bytes: encode_verdicts() needs no more for a line without text.
constexpr std::size_t answered_recipients(std::size_t bound) {
    return std::max<std::size_t>(bound / 80, 1);
}

}  // namespace component
