// The transfer parser: turns the elements of a payload of the transfer protocol (<transfers/>,
// <open/>, <verdicts/> and so on) into values, without a tree.
//
// Driven by XmlReader, from the payload's own start tag to its end tag. Each kind of payload has a
// parser of its own; here is which one. Bounded by base/limits.hpp, and by the reader's bound on
// the stanza.
//
// Tested by tests/unit/component/protocol/transfer_codec_test.cpp and tests/fuzz/transfer.cpp.
#pragma once

#include "component/protocol/payload_parser.hpp"

#include <memory>
#include <string_view>

namespace component {

/// The parser of a payload that begins with this element; null if that is none.
std::unique_ptr<PayloadParser> transfer_parser(std::string_view xmlns, std::string_view name);

}  // namespace component
