// terminal: how the subcommands print. Whatever a line holds, a terminal shows it and obeys none of
// it.
//
// Nothing else in this room prints what may come from outside. Any thread; failures to write are
// ignored.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace app::terminal {

/// One line on stdout. What is not printable (base::is_printable) becomes '?', line breaks too.
void put_line(std::string_view line);
template <class... T>
void line(fmt::format_string<T...> format, T&&... values) {
    put_line(fmt::format(format, std::forward<T>(values)...));
}
/// `packetboat: text` on stderr, likewise.
void complain(std::string_view text);

/// JSON in one line on stdout.
void put_json(const boost::json::value& value);
/// An array of JSON in one line on stdout, each element as it comes.
class JsonArray {
  public:
    void put(const boost::json::value& element);
    void end();

  private:
    bool is_empty_ = true;
};
/// In which the strings keep all characters: those that are not printable, escaped
/// (RFC 8259 7).
std::string to_text(const boost::json::value& value);

}  // namespace app::terminal
