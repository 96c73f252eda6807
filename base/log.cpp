#include "base/log.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iterator>
#include <memory>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

namespace base::log {
namespace {

constexpr std::size_t kLongestValue = 1000;  // bytes; a line stays readable and a journal whole

// The process has one log, as it has one stderr; set once at start.
std::atomic<Format> format{Format::text};

/// Quotes `value` so that neither format can be broken out of.
std::string quoted(std::string_view value) {
    std::string out = "\"";
    for (const char c : base::printable(value, kLongestValue)) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out += '"';
}

bool is_plain(std::string_view value) {
    return !value.empty() && value.size() <= kLongestValue &&
           std::ranges::all_of(value, [](char c) {
               return c > ' ' && c <= '~' && c != '"' && c != '\\' && c != '=' && c != ',';
           });
}

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warning:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

Level from_spdlog(spdlog::level::level_enum level) {
    for (const Level each : {Level::debug, Level::info, Level::warning}) {
        if (to_spdlog(each) == level) return each;
    }
    return Level::error;
}

/// `%*` of a pattern.
class Priority final : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& line, const std::tm& /*time*/,
                spdlog::memory_buf_t& out) override {
        const int priority = priority_of(from_spdlog(line.level));
        fmt::format_to(std::back_inserter(out), "<{}>", priority);
    }
    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<Priority>();
    }
};

Sink sink_of_stderr() {
    const char* const stream = std::getenv("JOURNAL_STREAM");
    struct stat found {};
    if (stream == nullptr || ::fstat(STDERR_FILENO, &found) != 0) return Sink::file;
    return sink_of(stream, found.st_dev, found.st_ino);
}

}  // namespace

Sink sink_of(std::string_view journal_stream, std::uint64_t device, std::uint64_t inode) {
    // A program that was started by one in the journal has the variable, too, and its own stderr.
    return journal_stream == fmt::format("{}:{}", device, inode) ? Sink::journal : Sink::file;
}

std::string pattern_of(Format format, Sink sink) {
    const std::string start = sink == Sink::journal ? "%*" : "";
    // Who reads JSON takes each line by itself, also out of a journal.
    if (format == Format::json)
        return start + R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";
    return start + (sink == Sink::journal ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ %l %v");
}

int priority_of(Level level) {
    switch (level) {
        case Level::debug:
            return LOG_DEBUG;
        case Level::info:
            return LOG_INFO;
        case Level::warning:
            return LOG_WARNING;
        case Level::error:
            return LOG_ERR;
    }
    return LOG_ERR;
}

void configure(Level level, Format wanted) {
    format = wanted;
    spdlog::set_default_logger(spdlog::stderr_logger_mt("packetboat"));
    spdlog::set_level(to_spdlog(level));
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    formatter->add_flag<Priority>('*').set_pattern(pattern_of(wanted, sink_of_stderr()));
    spdlog::set_formatter(std::move(formatter));
}

void set_level(Level level) {
    spdlog::set_level(to_spdlog(level));
}

Line::Line(std::string_view event) {
    with("event", event);
}

Line& Line::with(std::string_view key, std::string_view value) {
    const bool plain = format == Format::text && is_plain(value);
    return raw(key, plain ? std::string(value) : quoted(value));
}

Line& Line::raw(std::string_view key, std::string_view value) {
    const bool json = format == Format::json;
    if (!text_.empty()) text_ += json ? ',' : ' ';
    if (json) {
        text_ += quoted(key);
        text_ += ':';
    } else {
        text_ += key;
        text_ += '=';
    }
    text_ += value;
    return *this;
}

void Line::write(Level level) const {
    spdlog::log(to_spdlog(level), "{}", text_);
}

}  // namespace base::log
