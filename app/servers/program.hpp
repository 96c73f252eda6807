// run_program: another program's answer, such as postconf's, for `packetboat check` and `setup`.
//
// Blocks its thread. No shell has a part in it; the program gets no input and next to no
// environment. Fails as Errc::io (it can't be started, or ends by a signal) or Errc::limit or
// Errc::timeout (it says too much, or takes too long; then it is killed).
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace app {

struct ProgramAnswer {
    int status = 0;      ///< its exit status
    std::string output;  ///< standard output and standard error
};

/// For a program that reads files, and answers in milliseconds.
inline constexpr std::chrono::seconds kProgramTime{10};

/// Runs `words[0]`, an absolute path, in the root folder, with the other words as its arguments, to
/// its end, for `time` at most.
base::Result<ProgramAnswer> run_program(const std::vector<std::string>& words,
                                        std::chrono::seconds time = kProgramTime);

/// What it prints, if its exit status is 0; else Errc::refused, with what it says in one line.
base::Result<std::string> output_of(const std::vector<std::string>& words,
                                    std::chrono::seconds time = kProgramTime);

}  // namespace app
