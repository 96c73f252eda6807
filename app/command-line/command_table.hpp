// command_table: all commands, what each takes, and what runs it.
//
// The one place that knows them: main, the help and what is said of a slip come from it.
//
// Tested by tests/unit/app/command-line/usage_test.cpp.
#pragma once

#include "app/command-line/usage.hpp"

#include <filesystem>
#include <span>
#include <string>

namespace app {

/// In the order of the help.
std::span<const Command> commands();

/// `packetboat complaint`, on this socket: with --socket it needs no configuration.
int run_complaint(const Call& call, const std::filesystem::path& socket);

/// `packetboat setup`, which may come before there is a configuration.
int run_setup(const Call& call);

/// Says what is wrong with the command line; the exit status for that.
int misused(const std::string& what);

}  // namespace app
