// Helpers on stanzas: finding children of a Tag, reading stanza errors, writing the stanzas that we
// answer.
//
// Pure. Every stanza that is written here has a `from`: some servers close the link for one
// without.
//
// Tested by tests/unit/component/stream/xml_reader_test.cpp and tests/fuzz/disco.cpp.
#pragma once

#include "base/result.hpp"
#include "component/protocol/stanza_error.hpp"
#include "component/stream/iq_head.hpp"

#include <string>
#include <string_view>

#include <gloox/tag.h>

namespace component {

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
