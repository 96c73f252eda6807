#include "app/config/sections.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <fstream>

namespace app {
namespace {

namespace po = boost::program_options;
using base::Errc;

constexpr std::size_t kLongestLine = 10000;  // bytes: a slip (a binary file), not a configuration

/// What is not understood is never quoted, here and below: a line that is torn, or stands in the
/// wrong place, may be a part of a secret, and what is said of it goes into logs.
base::Error unknown_key(const Section& section) {
    return base::fail(Errc::syntax, "unknown key in [" + section.kind + "]");
}

/// Stores one `key = value`; the text says what is wrong with it.
base::Result<void> store(Section& section, const po::options_description& options,
                         const std::string& key, const std::string& value) {
    const auto* const option = options.find_nothrow(key, false);
    if (option == nullptr) return unknown_key(section);
    po::parsed_options parsed(&options);
    po::option one;
    one.string_key = key;
    one.value = {value};
    parsed.options.push_back(one);
    try {
        po::store(parsed, section.values);
        section.texts.try_emplace(key, value);
    } catch (const po::error&) {
        const std::string& expected = option->description();
        return base::fail(Errc::syntax,
                          "\"" + value + "\" is no good value for " + key + ": " + expected);
    }
    return {};
}

class Reader {
  public:
    Reader(std::filesystem::path file, const Grammar& grammar, const Overrides& overrides)
        : file_(std::move(file)), grammar_(grammar), overrides_(overrides) {}

    base::Result<std::vector<Section>> read() {
        std::error_code error;
        // Looked at before it is opened: a pipe would never be.
        const bool is_file = std::filesystem::is_regular_file(file_, error);
        std::ifstream in;
        if (is_file) in.open(file_);
        if (!in.is_open()) return base::fail(Errc::io, file_.string() + ": can't read this file");
        for (std::string line; std::getline(in, line);) {
            ++line_;
            auto taken = line.size() > kLongestLine
                             ? base::Result<void>(base::fail(Errc::limit, "the line is too long"))
                             : take(line);
            if (!taken) return at_line(taken.error());
        }
        add_missing();
        for (Section& section : sections_) {
            if (auto ended = finish(section); !ended) return ended.error();
        }
        return std::move(sections_);
    }

  private:
    base::Error at_line(const base::Error& error) const {
        return base::fail(error.code,
                          file_.string() + ":" + std::to_string(line_) + ": " + error.text);
    }

    base::Result<void> take(std::string_view line) {
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        // A comment starts the line, or has white space before it: so a secret may have a '#'.
        for (std::size_t at = line.find('#'); at != std::string_view::npos;
             at = line.find('#', at + 1)) {
            if (at > 0 && line[at - 1] != ' ' && line[at - 1] != '\t') continue;
            line = line.substr(0, at);
            break;
        }
        line = base::trim(line);
        if (line.empty()) return {};
        return line.front() == '[' ? take_section(line) : take_value(line);
    }

    base::Result<void> take_section(std::string_view line) {
        const auto words = base::split(line.substr(1, line.size() - 2));
        if (line.back() != ']' || words.empty() || words.size() > 2)
            return base::fail(Errc::syntax, "a section is written [kind] or [kind name]");
        const std::string kind(words[0]);
        const std::string name(words.size() > 1 ? words[1] : "");
        const auto known = grammar_.kinds.find(kind);
        if (known == grammar_.kinds.end()) return base::fail(Errc::syntax, "unknown section");
        if (known->second.named == name.empty())
            return base::fail(Errc::syntax, "[" + kind + "] " +
                                                (name.empty() ? "needs a name" : "takes no name"));
        for (const Section& section : sections_) {
            if (section.kind == kind && section.name == name)
                return base::fail(Errc::syntax, "[" + kind + "] stands here a second time");
        }
        begin(kind, name, line_);
        return {};
    }

    base::Result<void> take_value(std::string_view line) {
        if (sections_.empty()) return base::fail(Errc::syntax, "a [section] has to come first");
        const auto equals = line.find('=');
        if (equals == std::string_view::npos)
            return base::fail(Errc::syntax, "not of the form \"key = value\"");
        const std::string key(base::trim(line.substr(0, equals)));
        const std::string value(base::trim(line.substr(equals + 1)));
        Section& section = sections_.back();
        const auto& options = grammar_.kinds.at(section.kind).options;
        if (key.empty()) return base::fail(Errc::syntax, "not of the form \"key = value\"");
        if (options.find_nothrow(key, false) == nullptr) return unknown_key(section);
        if (!section.lines.try_emplace(key, line_).second)
            return base::fail(Errc::syntax, key + " is set a second time");
        if (value.empty()) return base::fail(Errc::syntax, key + " has no value");
        // What was set before (by an override) stays; the file's value is checked all the same.
        Section probe;
        probe.kind = section.kind;
        if (auto checked = store(probe, options, key, value); !checked) return checked;
        return store(section, options, key, value);
    }

    void begin(const std::string& kind, const std::string& name, int line) {
        sections_.push_back({kind, name, line, {}, {}, {}});
        const auto overrides = overrides_.find(kind);
        if (overrides == overrides_.end()) return;
        for (const auto& [key, value] : overrides->second) {
            if (auto stored = store(sections_.back(), grammar_.kinds.at(kind).options, key, value);
                !stored)
                override_errors_.push_back(stored.error());
        }
    }

    void add_missing() {
        for (const auto& each : grammar_.kinds) {
            const std::string& kind = each.first;
            const bool there =
                std::ranges::any_of(sections_, [&](const Section& s) { return s.kind == kind; });
            if (!there && !each.second.named) begin(kind, "", 0);
        }
    }

    base::Result<void> finish(Section& section) {
        if (!override_errors_.empty()) return override_errors_.front();
        const auto& options = grammar_.kinds.at(section.kind).options;
        // A section that the file does not have brings its defaults, and is not asked for what is
        // required.
        po::parsed_options nothing(&options);
        po::store(nothing, section.values);
        if (section.line == 0) return {};
        try {
            po::notify(section.values);
        } catch (const po::required_option& missing) {
            return base::fail(Errc::syntax, file_.string() + ":" + std::to_string(section.line) +
                                                ": [" + section.kind + "] needs " +
                                                missing.get_option_name());
        }
        return {};
    }

    std::filesystem::path file_;
    const Grammar& grammar_;
    const Overrides& overrides_;
    int line_ = 0;
    std::vector<Section> sections_;
    std::vector<base::Error> override_errors_;
};

}  // namespace

std::string Section::where(const std::filesystem::path& file, const char* key) const {
    const auto found = lines.find(key);
    return file.string() + ":" + std::to_string(found == lines.end() ? line : found->second) + ": ";
}

base::Result<std::vector<Section>> read_sections(const std::filesystem::path& file,
                                                 const Grammar& grammar,
                                                 const Overrides& overrides) {
    return Reader(file, grammar, overrides).read();
}

}  // namespace app
