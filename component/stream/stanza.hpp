// Helpers on stanzas: finding children of a Tag, reading stanza errors, writing the stanzas that we
// answer.
//
// Pure. Every stanza that is written here has a `from`: some servers close the link for one
// without.
#pragma once

#include "base/result.hpp"
#include "component/stream/xml_reader.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <gloox/tag.h>

namespace component {

/// An error stanza (RFC 6120 8.3.2), as far as a sender acts on it (protocol, "What an IQ error
/// means to a sender").
struct StanzaError {
    std::string type;       ///< cancel, wait, modify, auth
    std::string condition;  ///< of RFC 6120 8.3.3; `undefined-condition` if there is none
    std::string ours;  ///< name of the element of urn:xmpp:mail-transfer:0; empty if there is none
    std::optional<std::chrono::seconds> retry_after;  ///< of <busy/>, 1 s to a day
    std::string text;                                 ///< for people, printable and bounded
    std::optional<std::uint64_t> offset{};            ///< of <bad-offset/>: what the receiver has
    bool unverified = false;  ///< of <busy/>: the sender's domain can't be asked now

    /// `forbidden (domain-not-authorized): text`
    std::string to_text() const;
};

/// The first child of that name and namespace, or null.
const gloox::Tag* find_child(const gloox::Tag& parent, std::string_view name,
                             std::string_view xmlns);
/// The first child that is an element, or null.
const gloox::Tag* first_child(const gloox::Tag& parent);
IqHead head_of(const gloox::Tag& stanza);
StanzaError read_error(const gloox::Tag& stanza);

/// `<iq type= id= from= to=>payload</iq>`; Errc::protocol if that would be no XML.
base::Result<std::string> write_iq(const IqHead& head, std::string_view payload);
/// Directed presence (RFC 6121 4.6).
base::Result<std::string> write_presence(std::string_view from, std::string_view to,
                                         std::string_view type);
/// The error that answers `request` (RFC 6120 8.3.1): from its `to`, to its `from`, with its id.
/// `kind` is the element of the stanza ("iq", "message").
base::Result<std::string> write_error(std::string_view kind, const IqHead& request,
                                      const StanzaError& error);

}  // namespace component
