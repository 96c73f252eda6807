#include "app/terminal.hpp"

#include "base/characters.hpp"
#include "base/text.hpp"

#include <cstdint>
#include <cstdio>

#include <boost/json.hpp>

namespace app::terminal {

void put_line(std::string_view line) {
    fmt::print("{}\n", base::printable(line, line.size()));
}

void complain(std::string_view text) {
    fmt::print(stderr, "packetboat: {}\n", base::printable(text, text.size()));
}

void put_json(const boost::json::value& value) {
    fmt::print("{}\n", to_text(value));
}

void JsonArray::put(const boost::json::value& element) {
    fmt::print("{}{}", is_empty_ ? "[" : ",", to_text(element));
    is_empty_ = false;
}

void JsonArray::end() {
    fmt::print("{}]\n", is_empty_ ? "[" : "");
}

std::string to_text(const boost::json::value& value) {
    // Only strings hold what is not ASCII, and the serializer has escaped the rest of the controls.
    const std::string json = boost::json::serialize(value);
    std::string_view left = json;
    std::string out;
    out.reserve(json.size());
    while (!left.empty()) {
        const std::string_view before = left;
        const auto character = base::take_character(left);
        if (!character) {
            out += '?';
        } else if (base::is_printable(*character)) {
            out += before.substr(0, before.size() - left.size());
        } else if (*character > 0xFFFF) {
            const auto pair = static_cast<std::uint32_t>(*character) - 0x10000;
            out +=
                fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (pair >> 10), 0xDC00 + (pair & 0x3FF));
        } else {
            out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(*character));
        }
    }
    return out;
}

}  // namespace app::terminal
