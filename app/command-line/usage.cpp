#include "app/command-line/usage.hpp"

#include "base/spelling.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace app {
namespace {

using base::Errc;
using base::fail;
using base::split;

bool contains(const std::vector<std::string_view>& words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
}

bool is_one_of(std::string_view word, std::string_view words) {
    return contains(split(words, "|"), word);
}

/// The words that may stand first, or behind `name`; each once.
std::vector<std::string_view> words_of(std::span<const Command> commands, std::string_view name) {
    std::vector<std::string_view> words;
    for (const Command& command : commands) {
        if (!name.empty() && !is_one_of(name, command.name)) continue;
        for (const auto word : split(name.empty() ? command.name : command.sub, "|")) {
            if (!contains(words, word)) words.push_back(word);
        }
    }
    return words;
}

base::Error no_command(const std::string& said, const std::string& before, std::string_view word,
                       std::span<const std::string_view> known) {
    const std::string_view meant = base::nearest(word, known);
    const std::string guess =
        meant.empty() ? "" : fmt::format("; did you mean \"{}{}\"?", before, meant);
    return fail(Errc::syntax, fmt::format("there is no command \"{}\"{}", said, guess));
}

/// Whether the words that say which command it is are those of this one.
bool is_said(const Command& command, const CommandWords& words) {
    if (!is_one_of(words.front(), command.name)) return false;
    if (command.sub.empty()) return true;
    return words.size() == 1 ? command.is_default : is_one_of(words[1], command.sub);
}

/// Whether it is among the commands that begin with these words; no words: all do.
bool begins_with(const Command& command, const CommandWords& words) {
    if (words.empty()) return true;
    return is_one_of(words[0], command.name) &&
           (words.size() == 1 || command.sub.empty() || is_one_of(words[1], command.sub));
}

std::size_t own_words(const Command& command, const CommandWords& words) {
    return std::min<std::size_t>(words.size(), command.sub.empty() ? 1 : 2);
}

/// For a second word that stands first, such as `hold`: the whole, `queue hold`. Empty: it is none.
std::string whole_of(std::span<const Command> commands, std::string_view word) {
    const auto found = std::ranges::find_if(
        commands, [&](const Command& command) { return is_one_of(word, command.sub); });
    return found == commands.end() ? "" : fmt::format("{} {}", found->name, word);
}

/// What is wrong with words that mean no command.
base::Error not_found(std::span<const Command> commands, const CommandWords& words) {
    const auto names = words_of(commands, "");
    const std::string& name = words.front();
    const std::string whole = whole_of(commands, name);
    if (!contains(names, name) && !whole.empty())
        return fail(Errc::syntax,
                    fmt::format("there is no command \"{}\"; did you mean \"{}\"?", name, whole));
    if (!contains(names, name)) return no_command(name, "", name, names);
    const auto subs = words_of(commands, name);
    if (words.size() == 1)
        return fail(Errc::syntax,
                    fmt::format("which \"{}\" command? There are {}", name, fmt::join(subs, ", ")));
    return no_command(name + " " + words[1], name + " ", words[1], subs);
}

/// The names of the commands that take it, as they are said.
std::string takers_of(std::span<const Command> commands, std::string_view option) {
    std::vector<std::string> takers;
    for (const Command& command : commands) {
        if (!contains(split(command.options), option)) continue;
        takers.push_back(
            fmt::format("{}{}{}", command.name, command.sub.empty() ? "" : " ", command.sub));
    }
    return fmt::format("{}", fmt::join(takers, ", "));
}

}  // namespace

base::Result<const Command*> find_command(std::span<const Command> commands,
                                          const CommandWords& words) {
    if (words.empty()) return fail(Errc::syntax, "which command?");
    const auto found = std::ranges::find_if(
        commands, [&](const Command& command) { return is_said(command, words); });
    if (found == commands.end()) return not_found(commands, words);
    const std::size_t arguments = words.size() - own_words(*found, words);
    if (arguments < found->least || arguments > found->most)
        return fail(Errc::syntax,
                    fmt::format("too {} words: packetboat {}",
                                arguments < found->least ? "few" : "many", found->usage));
    return &*found;
}

CommandWords arguments_of(const Command& command, const CommandWords& words) {
    return {words.begin() + static_cast<std::ptrdiff_t>(own_words(command, words)), words.end()};
}

base::Result<void> check_option(std::span<const Command> commands, const Command& command,
                                std::string_view option) {
    const std::string takers = takers_of(commands, option);
    // What no command takes for itself is for all of them.
    if (takers.empty() || contains(split(command.options), option)) return {};
    return fail(Errc::syntax, fmt::format("--{} is for {}", option, takers));
}

base::Result<std::string> usage_of(std::span<const Command> commands, const CommandWords& words) {
    std::string text;
    for (const Command& command : commands) {
        if (!begins_with(command, words)) continue;
        text += fmt::format("{}packetboat [options] {}\n", text.empty() ? "usage: " : "       ",
                            command.usage);
    }
    if (!text.empty()) return text;
    return not_found(commands, words);
}

std::vector<std::string_view> options_of(std::span<const Command> commands,
                                         const CommandWords& words) {
    std::vector<std::string_view> options;
    for (const Command& command : commands) {
        if (!begins_with(command, words)) continue;
        for (const auto option : split(command.options)) {
            if (!contains(options, option)) options.push_back(option);
        }
    }
    return options;
}

}  // namespace app
