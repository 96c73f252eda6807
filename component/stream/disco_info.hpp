// What we answer to disco#info: identity, features and the capability form (protocol, "Capability
// form").
//
// Pure.
//
// Tested by tests/unit/component/stream/session_test.cpp.
#pragma once

#include "component/stream/link.hpp"

#include <string>

namespace component {

/// The <query/> that describes a component with these settings, with the form beside it
/// (XEP-0128 2). No domains means that it retires.
std::string disco_info_query(const ComponentSettings& settings);

/// Whether `iq` is a disco#info request for the component itself, whose answer has the form.
bool asks_for_info(const gloox::Tag& iq);

/// The answer to a get or set that is not for somebody else here: ping, disco#info, disco#items and
/// version of the component itself; an error for all else (RFC 6120 8.2.3), also for JIDs below it.
/// Empty if nothing can be answered.
std::string answer_iq(const gloox::Tag& iq, const ComponentSettings& settings);

}  // namespace component
