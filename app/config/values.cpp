#include "app/config/values.hpp"

#include "base/text.hpp"

#include <istream>
#include <iterator>
#include <map>
#include <sstream>
#include <string_view>

namespace app {
namespace {

std::string rest_of(std::istream& in) {
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A number, and the unit behind it.
bool split_unit(std::string_view text, std::uint64_t& number, std::string_view& unit) {
    const auto digits = text.find_first_not_of("0123456789");
    const auto parsed = base::parse_number(text.substr(0, digits), UINT64_MAX / 1'000'000);
    if (!parsed) return false;
    number = *parsed;
    unit = digits == std::string_view::npos ? std::string_view() : text.substr(digits);
    return true;
}

/// Multiplies if the unit is known and the result within `most`.
bool read_scaled(std::istream& in, const std::map<std::string_view, std::uint64_t>& units,
                 std::uint64_t most, std::uint64_t& value) {
    const std::string text = rest_of(in);
    std::uint64_t number = 0;
    std::string_view unit;
    if (!split_unit(text, number, unit)) return false;
    const auto scale = units.find(unit);
    if (scale == units.end() || number > most / scale->second) return false;
    value = number * scale->second;
    return true;
}

}  // namespace

std::istream& operator>>(std::istream& in, Duration& duration) {
    static const std::map<std::string_view, std::uint64_t> kUnits{
        {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
    constexpr std::uint64_t kYear = 366ull * 86'400'000;
    std::uint64_t value = 0;
    if (!read_scaled(in, kUnits, kYear, value) || value == 0) in.setstate(std::ios::failbit);
    duration.value = std::chrono::milliseconds(value);
    return in;
}

std::istream& operator>>(std::istream& in, Size& size) {
    static const std::map<std::string_view, std::uint64_t> kUnits{
        {"", 1}, {"K", 1u << 10}, {"M", 1u << 20}, {"G", 1u << 30}};
    constexpr std::uint64_t kMost = 1ull << 40;
    if (!read_scaled(in, kUnits, kMost, size.value)) in.setstate(std::ios::failbit);
    return in;
}

std::istream& operator>>(std::istream& in, Limit& limit) {
    const std::string text = rest_of(in);
    limit.value.reset();
    if (text == "none") return in;
    std::istringstream number(text);
    Size size;
    if (!(number >> size)) in.setstate(std::ios::failbit);
    limit.value = size.value;
    return in;
}

std::istream& operator>>(std::istream& in, Switch& value) {
    const std::string text = rest_of(in);
    if (text != "yes" && text != "no") in.setstate(std::ios::failbit);
    value.value = text == "yes";
    return in;
}

std::istream& operator>>(std::istream& in, Words& words) {
    const std::string text = rest_of(in);
    words.value.clear();
    for (const std::string_view word : base::split(text, " \t,"))
        words.value.emplace_back(word);
    if (words.value.empty()) in.setstate(std::ios::failbit);
    return in;
}

std::istream& operator>>(std::istream& in, Text& text) {
    text.value = rest_of(in);
    if (text.value.empty()) in.setstate(std::ios::failbit);
    return in;
}

}  // namespace app
