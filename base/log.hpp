// Log lines: one event a line, `event=NAME key=value ...` or a JSON object.
//
// Each room has its own typed functions (`queue/log.hpp`: deferred(id, rcpt, ...)) built on Line;
// nothing else calls spdlog. Never log a body or a secret. Values from outside are made printable
// and bounded here. Any thread. What each event means is in docs/events.md.
//
// Where stderr is the journal, each line begins with its priority, as sd-daemon(3) has it: the
// journal takes that off, and knows the line's time by itself.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace base::log {

enum class Level { debug, info, warning, error };
enum class Format { text, json };

/// Where the lines go.
enum class Sink {
    file,     ///< or a terminal, or another program: a line says all of itself
    journal,  ///< keeps priority and time of each line
};

/// `journal_stream`: the environment's JOURNAL_STREAM, which names the device and the inode of the
/// journal's socket in decimal (systemd.exec(5)); empty: there is none. The others: what stderr is,
/// as fstat() says. Anything else than a JOURNAL_STREAM in that form is no journal.
Sink sink_of(std::string_view journal_stream, std::uint64_t device, std::uint64_t inode);

/// How spdlog is to write a line; `%*` is the priority with its brackets, such as `<4>`.
std::string pattern_of(Format format, Sink sink);

/// The priority of syslog(3): 3 for errors to 7 for debug lines.
int priority_of(Level level);

/// Once, at start, before other threads are: lines go to stderr from `level` up. Whether that is
/// the journal is looked at now.
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
