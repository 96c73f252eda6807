// Call: a command line that was understood: the words and the options.
//
// Tested by tests/unit/app/command-line/options_test.cpp.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace app {

using CommandWords = std::vector<std::string>;

struct Call {
    CommandWords words;      ///< all of them, the command first
    CommandWords arguments;  ///< those behind the command's own words
    /// Those that were given, or have a default, by name without dashes; one that takes no value
    /// has an empty one.
    std::map<std::string, std::string> options;

    bool has(const std::string& option) const { return options.contains(option); }
    /// The option's value; empty if it was not given.
    std::string value(const std::string& option) const {
        const auto found = options.find(option);
        return found == options.end() ? "" : found->second;
    }
    bool as_json() const { return has("json"); }
};

}  // namespace app
