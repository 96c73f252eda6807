#include "base/log.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <atomic>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

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

}  // namespace

void configure(Level level, Format wanted) {
    format = wanted;
    spdlog::set_default_logger(spdlog::stderr_logger_mt("packetboat"));
    spdlog::set_level(to_spdlog(level));
    spdlog::set_pattern(wanted == Format::json
                            ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                            : "%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                        spdlog::pattern_time_type::utc);
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
