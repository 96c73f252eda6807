// Values: the types of configuration values: durations, sizes and lists, as an administrator writes
// them.
//
// Tested by tests/unit/app/config/config_test.cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace app {

/// `90s`, `5m`, `4h`, `5d`, `500ms`; more than 0, at most a year.
struct Duration {
    std::chrono::milliseconds value{};
};
/// `4096`, `64K`, `50M`, `1G`, in bytes; at most 1 TiB.
struct Size {
    std::uint64_t value = 0;
};
/// A Size, or `none`.
struct Limit {
    std::optional<std::uint64_t> value;
};
/// `yes` or `no`.
struct Switch {
    bool value = false;
};
/// Words with spaces or commas between them; at least one.
struct Words {
    std::vector<std::string> value;
};
/// The rest of the line.
struct Text {
    std::string value;
};

/// For Boost.Program_options: the stream fails on anything else.
std::istream& operator>>(std::istream& in, Duration& duration);
std::istream& operator>>(std::istream& in, Size& size);
std::istream& operator>>(std::istream& in, Limit& limit);
std::istream& operator>>(std::istream& in, Switch& value);
std::istream& operator>>(std::istream& in, Words& words);
std::istream& operator>>(std::istream& in, Text& text);

}  // namespace app
