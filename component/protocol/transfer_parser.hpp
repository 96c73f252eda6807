// TransferParser: turns the elements of a payload of the transfer protocol (<transfers/>, <open/>,
// <verdicts/> and so on) into values, without a tree.
//
// Driven by XmlReader, from the payload's own start tag to its end tag. Strict (protocol, "Sending
// a message"): an undefined element or attribute of our namespace, a value that is missing, out of
// bounds or out of its grammar makes the whole payload Malformed, with the first reason. What
// belongs to other namespaces is ignored. Owns what it has parsed so far; bounded by
// base/limits.hpp, and by the reader's bound on the stanza.
#pragma once

#include "component/protocol/payload_attributes.hpp"
#include "component/protocol/transfer.hpp"

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace component {

class TransferParser {
  public:
    /// True for the elements that are payloads of this kind.
    static bool takes(std::string_view xmlns, std::string_view name);

    void start(std::string_view xmlns, std::string_view name,
               std::span<const XmlAttribute> attributes);
    void text(std::string_view text);
    void end();
    /// After the end tag of the payload.
    TransferPayload take();

  private:
    enum class At {
        transfers,
        transfer,
        envelope,
        from,
        rcpt,
        hash,
        content,
        block,
        verdicts,
        verdict,
        verdict_rcpt,
        open,
        chunk,
        commit,
        status,
        abort,
        report,
        report_rcpt,
        ack,
        foreign
    };

    void fail(std::string why);
    bool failed() const { return !why_.empty(); }
    static std::optional<At> root_of(std::string_view name);
    At child_of(At parent, std::string_view xmlns, std::string_view name) const;
    void start_root(const PayloadAttributes& attributes);
    void start_chunk(const PayloadAttributes& attributes);
    void start_transfer(const PayloadAttributes& attributes);
    void start_envelope(const PayloadAttributes& attributes);
    void start_from(const PayloadAttributes& attributes);
    void start_recipient(const PayloadAttributes& attributes);
    void start_content(const PayloadAttributes& attributes);
    void start_block(const PayloadAttributes& attributes);
    void start_verdict(const PayloadAttributes& attributes);
    void start_verdict_recipient(const PayloadAttributes& attributes);
    void start_report(const PayloadAttributes& attributes);
    void start_report_recipient(const PayloadAttributes& attributes);
    void end_report_recipient();
    void read_encoding(const PayloadAttributes& attributes);
    base::TimePoint read_expires(const PayloadAttributes& attributes);
    std::optional<mail::Sha256> read_digest(const PayloadAttributes& attributes);
    bool check_draft();
    void end_transfer();
    void end_open();
    void end_hash();
    void end_verdict();
    void end_verdict_recipient();
    void finish_batch();
    std::optional<queue::TransferKey> read_key(const PayloadAttributes& attributes);

    /// A transfer between its tags; what has not been seen yet is empty.
    struct Draft {
        std::optional<queue::TransferKey> key;
        mail::Envelope envelope;
        std::optional<std::size_t> stated_size;  ///< set with the envelope's own attributes
        base::TimePoint expires;
        std::optional<mail::Sha256> hash;
        std::optional<std::size_t> offset;
        std::size_t size = 0;
        bool from = false;
        std::set<std::uint32_t> numbers;
    };

    std::vector<At> path_;
    std::string why_;  ///< of the first failure
    bool block_seen_ = false;
    std::string text_;  ///< of the hash or the recipient's line that is open
    Draft draft_;
    std::size_t recipients_ = 0;
    std::set<queue::TransferKey> keys_;
    IncomingBatch batch_;  ///< its block is that of a chunk, too
    Verdicts verdicts_;
    std::optional<queue::PeerReport> report_;
    TransferPayload single_;  ///< what is about one transfer
};

}  // namespace component
