// What is said on the control socket of the emergency switch, and that in words. Pure.
//
// Tested by tests/unit/app/daemon/off_json_test.cpp.
#pragma once

#include "base/result.hpp"
#include "queue/ledger/off.hpp"

#include <optional>
#include <string>

#include <boost/json.hpp>

namespace app {

/// `2h`, or a time (XEP-0082 3.2) that is to come, a year ahead at most; empty: no end.
/// Errc::syntax.
base::Result<std::optional<base::TimePoint>> read_until(const std::string& word,
                                                        base::TimePoint now);
/// "since", and "until" or null; null if it is on.
boost::json::value off_answer(const std::optional<queue::Off>& off);
/// The same in words; empty if it is on.
std::string off_text(const boost::json::object& status);

}  // namespace app
