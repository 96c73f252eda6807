// json_text: what both ends of the control socket read out of an object.
#pragma once

#include <string>

#include <boost/json.hpp>

namespace app {

/// The string at `key`; empty if there is none.
inline std::string text_of(const boost::json::object& object, const char* key) {
    const auto* const value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

}  // namespace app
