// usage: what can be said on the command line, as a table of commands, and what is said to who says
// something else.
//
// Pure functions on the table: which command is meant by the words, which options it takes, the
// text of the help, and what was meant by a word that is none. The table is commands()'s
// (command_table.hpp).
#pragma once

#include "app/command-line/call.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace app {

struct Config;

struct Command {
    static constexpr std::size_t kAny = SIZE_MAX;

    /// One word, or several of which each is a command: `retire|resume`.
    std::string_view name;
    /// The second word, or several of which each will do; empty: there is none.
    std::string_view sub;
    bool is_default = false;  ///< of its name: meant without a second word, too
    std::size_t least = 0;    ///< arguments behind the words
    std::size_t most = 0;     ///< kAny: any number
    /// The options that it takes beside those of all commands, without dashes, in a row.
    std::string_view options;
    /// How it is said, behind the program's name and the options of all commands.
    std::string_view usage;
    /// The exit status; null: it needs no configuration, and main runs it.
    int (*run)(const Call& call, const Config& config) = nullptr;
};

/// The command that these words mean. Errc::syntax, with a line that says what is wrong, and what
/// may have been meant: there is none, or not with so many arguments.
base::Result<const Command*> find_command(std::span<const Command> commands,
                                          const CommandWords& words);

/// The words behind those that say which command it is: `words` mean `command`.
CommandWords arguments_of(const Command& command, const CommandWords& words);

/// Errc::syntax if `option` (without dashes) is for other commands, which it names.
base::Result<void> check_option(std::span<const Command> commands, const Command& command,
                                std::string_view option);

/// How the commands are said that begin with these words, a line each; no words: all commands.
/// Errc::syntax if there are none.
base::Result<std::string> usage_of(std::span<const Command> commands, const CommandWords& words);

/// The options that the commands which begin with these words take beside those of all commands,
/// without dashes, each once.
std::vector<std::string_view> options_of(std::span<const Command> commands,
                                         const CommandWords& words);

}  // namespace app
