// What the daemon says of its clock on the control socket, and that in words.
#pragma once

#include "base/clock_trust.hpp"

#include <optional>
#include <string>

#include <boost/json.hpp>

namespace app {

/// "doubt" (`none` if it is believed), "by" (seconds that it is ahead of what was expected),
/// "until" (seconds until it is believed after all, or null).
boost::json::object clock_answer(const base::ClockTrust::State& state, const base::Clock& clock);
/// The same in words: why the clock is doubted, what waits for it, and what to do; nothing if it is
/// believed. `answer`: what clock_answer() gave.
std::optional<std::string> clock_trouble(const boost::json::object& answer);

}  // namespace app
