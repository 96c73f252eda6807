// options: those of the command line, read with the words and the environment.
//
// Which command takes which is in the command table (command_table.hpp).
#pragma once

#include "app/command-line/call.hpp"
#include "base/result.hpp"

#include <span>
#include <string>
#include <string_view>

namespace app {

/// What is said by the arguments, of which the first is the program's name, and by the variables of
/// the environment that are ours; the arguments go first. The words' meaning is not looked at.
/// Errc::syntax, with a line that says what is wrong, for an option that there is not, and one
/// without its value.
base::Result<Call> read_command_line(int argc, const char* const* argv);

/// The options, for the help, some lines.
std::string options_text();
/// Those of them that have these names, without dashes.
std::string options_text(std::span<const std::string_view> names);

}  // namespace app
