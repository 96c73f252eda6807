// packetboat_edits: what becomes of packetboat.conf. Pure functions on its text.
//
// Comments, order and whatever else stands there stay.
#pragma once

#include "app/setup/site.hpp"

#include <string>
#include <string_view>

namespace app {

/// The text with this value for a key of the section `[header]`: in place of what it has there, or
/// behind it where it is commented out, or at the section's end. Without such a section, with one.
std::string with_key(std::string text, std::string_view header, std::string_view key,
                     std::string_view value);

/// The value that a key of the section has; empty if there is none.
std::string value_of(std::string_view text, std::string_view header, std::string_view key);

/// The name of the first component that is not the example's; empty: there is none.
std::string component_in(std::string_view text);

/// The configuration for this site. The example's component is renamed; another one stays, beside
/// this one.
std::string packetboat_conf(std::string text, const Site& site);

}  // namespace app
