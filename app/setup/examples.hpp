// example: the text of a file of examples/, as it was when the program was built.
//
// Tested by tests/unit/app/setup/postfix_edits_test.cpp.
#pragma once

#include <string>
#include <string_view>

namespace app {

/// `postfix/master.cf`; throws std::logic_error if that one is not compiled in.
std::string example(std::string_view name);

}  // namespace app
