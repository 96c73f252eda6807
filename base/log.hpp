// Log lines: one event a line, `event=NAME key=value ...` or a JSON object.
//
// Each room has its own typed functions (`queue/log.hpp`: deferred(id, rcpt, ...)) built on Line;
// nothing else calls spdlog. Never log a body or a secret. Values from outside are made printable
// and bounded here. Any thread.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace base::log {

enum class Level { debug, info, warning, error };
enum class Format { text, json };

/// Once, at start, before other threads are: lines go to stderr from `level` up.
void configure(Level level, Format format);

/// From now on, lines from `level` up. Any thread.
void set_level(Level level);

class Line {
  public:
    explicit Line(std::string_view event);
    Line& with(std::string_view key, std::string_view value);
    Line& with(std::string_view key, const char* value) {
        return with(key, std::string_view(value));
    }
    template <std::integral T>
    Line& with(std::string_view key, T value) {
        return raw(key, std::to_string(value));
    }

    void debug() const { write(Level::debug); }
    void info() const { write(Level::info); }
    void warning() const { write(Level::warning); }
    void error() const { write(Level::error); }

  private:
    Line& raw(std::string_view key, std::string_view value);
    void write(Level level) const;
    std::string text_;
};

}  // namespace base::log
