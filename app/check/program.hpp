// run_program: another program's answer, such as postconf's, for `packetboat check`.
//
// Blocks its thread. No shell has a part in it; the program gets no input and next to no
// environment. Fails as Errc::io (it can't be started, or ends by a signal) or Errc::limit or
// Errc::timeout (it says too much, or takes too long; then it is killed).
#pragma once

#include "base/result.hpp"

#include <string>
#include <vector>

namespace app {

struct ProgramAnswer {
    int status = 0;      ///< its exit status
    std::string output;  ///< standard output and standard error
};

/// Runs `words[0]`, an absolute path, with the other words as its arguments, to its end.
base::Result<ProgramAnswer> run_program(const std::vector<std::string>& words);

}  // namespace app
