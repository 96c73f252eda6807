// terminal: what a program reads of our JSON is what there is, and a terminal obeys none of it.
#include "app/terminal.hpp"

#include "base/text.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

TEST_CASE("JSON keeps every character, and shows only those that may be shown") {
    const std::string text =
        "\"a\\\x1B["
        "31m\n\xC2\x9B\xE2\x80\xAE\xE2\x80\xA8\xC3\xA4\xF3\xA0\x80\x81\xF0\x9F\x98\x80\x7F";
    const std::string shown = app::terminal::to_text({{"from", text}});
    CHECK(shown ==
          "{\"from\":\"\\\"a\\\\\\u001b[31m\\n\\u009b\\u202e\\u2028\xC3\xA4\\udb40\\udc01"
          "\xF0\x9F\x98\x80\\u007f\"}");
    CHECK(base::printable(shown, shown.size()) == shown);
    CHECK(boost::json::parse(shown).at("from").as_string() == text);
}
