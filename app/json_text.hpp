// json_text: what both ends of the control socket read out of an object.
//
// Tested by tests/unit/app/daemon/selection_json_test.cpp.
#pragma once

#include <cstdint>
#include <string>

#include <boost/json.hpp>

namespace app {

/// The string at `key`; empty if there is none.
inline std::string text_of(const boost::json::object& object, const char* key) {
    const auto* const value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

/// The array at `key`; an empty one if there is none.
inline const boost::json::array& rows_of(const boost::json::object& object, const char* key) {
    static const boost::json::array kNone;
    const auto* const value = object.if_contains(key);
    return value != nullptr && value->is_array() ? value->as_array() : kNone;
}

/// The whole number at `key`; 0 if there is none.
inline std::int64_t number_of(const boost::json::object& object, const char* key) {
    const auto* const value = object.if_contains(key);
    if (value == nullptr || !value->is_number()) return 0;
    boost::system::error_code none;
    const auto number = value->to_number<std::int64_t>(none);
    return none ? 0 : number;
}

}  // namespace app
