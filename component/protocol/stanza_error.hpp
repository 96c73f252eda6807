// StanzaError: an error stanza, as far as either side acts on it, and those that the protocol has.
//
// Pure values.
//
// Tested by tests/unit/component/protocol/error_table_test.cpp and
// tests/unit/component/incoming/transfer_receiver_test.cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace component {

/// Why a receiver is busy, if that is on the domain that a transfer is for.
enum class BusyCause : std::uint8_t {
    none,        ///< it is on the receiver
    unverified,  ///< the domain can't be asked now
    rate,        ///< as much of its mail came as is taken for now
};
/// As it stands in XML; nothing for `none`.
const char* to_text(BusyCause cause);
/// `none` for any other word: what is not known is on the receiver.
BusyCause parse_cause(std::string_view word);

/// RFC 6120 8.3.2; a sender reads it as the protocol has it ("What an IQ error means to a sender").
struct StanzaError {
    std::string type;       ///< cancel, wait, modify, auth
    std::string condition;  ///< of RFC 6120 8.3.3; `undefined-condition` if there is none
    std::string ours;  ///< name of the element of urn:xmpp:mail-transfer:0; empty if there is none
    std::optional<std::chrono::seconds> retry_after;  ///< of <busy/>, 1 s to a day
    std::string text;                                 ///< for people, printable and bounded
    std::optional<std::uint64_t> offset{};            ///< of <bad-offset/>: what the receiver has
    BusyCause cause = BusyCause::none;                ///< of <busy/>

    /// `forbidden (domain-not-authorized): text`
    std::string to_text() const;
};

/// Those of the protocol: its element, and the condition that goes with it.
StanzaError busy(std::string text);
/// The domain that mail is sent in the name of can't be asked now, by no fault of ours.
StanzaError unverified(std::string text);
/// Of the domain that mail is sent in the name of as much came as is taken for now.
StanzaError beyond_rate(std::string text, std::chrono::seconds retry_after);
StanzaError malformed(std::string text);
StanzaError not_authorised(std::string text);
StanzaError id_reuse();
StanzaError unknown_transfer();
/// `offset`: what is on our disk.
StanzaError bad_offset(std::uint64_t offset);

}  // namespace component
