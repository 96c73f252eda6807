// Sections: the configuration file as sections of typed values, with the line of each.
//
// Tested by tests/unit/app/config/config_test.cpp.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <boost/program_options.hpp>

namespace app {

/// `[kind name]` and what stands under it.
struct Section {
    std::string kind;
    std::string name;
    int line = 0;
    boost::program_options::variables_map values;
    std::map<std::string, int> lines;          ///< of each key that the file sets
    std::map<std::string, std::string> texts;  ///< values as they were written, without defaults

    template <class T>
    const T& get(const char* key) const {
        return values[key].as<T>();
    }
    bool has(const char* key) const { return values.count(key) > 0; }
    /// `FILE:LINE: ` of `key`, or of the section where the file does not set it.
    std::string where(const std::filesystem::path& file, const char* key) const;
};

/// What is wrong with a section: at which key (empty: at its name), and why.
struct Fault {
    const char* key;
    std::string what;
};

/// What sections there are: by kind, the options, and whether it has a name and may be repeated.
struct Grammar {
    struct Kind {
        boost::program_options::options_description options;
        bool named = false;
    };
    std::map<std::string, Kind> kinds;
};

/// Values that stand before those of the file: from the command line and the environment.
using Overrides =
    std::map<std::string, std::map<std::string, std::string>>;  // kind -> key -> value

/// Reads `file`; every kind without a name is in the result even if the file does not have it. The
/// error has the form `FILE:LINE: what`: a key or section that is not known, a value that is not of
/// its type, something set twice, something required that is missing, a file that can't be read.
base::Result<std::vector<Section>> read_sections(const std::filesystem::path& file,
                                                 const Grammar& grammar,
                                                 const Overrides& overrides);

}  // namespace app
