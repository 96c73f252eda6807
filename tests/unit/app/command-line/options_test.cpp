// options: what is said on the command line is what is read, and what is none is named.
#include "app/command-line/options.hpp"

#include <vector>

#include <catch2/catch.hpp>

using namespace app;

namespace {

base::Result<Call> read_words(std::vector<const char*> words) {
    words.insert(words.begin(), "packetboat");
    return read_command_line(static_cast<int>(words.size()), words.data());
}

}  // namespace

TEST_CASE("words and options are told apart, wherever they stand") {
    const Call call =
        read_words({"queue", "--older", "4h", "list", "--json", "1K0RSP7MA00"}).value();
    CHECK(call.words == CommandWords{"queue", "list", "1K0RSP7MA00"});
    CHECK(call.value("older") == "4h");
    CHECK(call.as_json());
    CHECK_FALSE(call.has("newer"));
    CHECK(call.value("newer").empty());
    CHECK(call.value("config") == "/etc/packetboat/packetboat.conf");
}

TEST_CASE("help and version have a letter, too") {
    CHECK(read_words({"-h"}).value().has("help"));
    CHECK(read_words({"--help", "queue"}).value().has("help"));
    CHECK(read_words({"-V"}).value().has("version"));
    CHECK(read_words({"--version"}).value().has("version"));
}

TEST_CASE("an option that is none is named, and what may be meant") {
    CHECK(read_words({"queue", "list", "--odler", "4h"}).error().text ==
          "there is no option \"--odler\"; did you mean \"--older\"?");
    CHECK(read_words({"--frobnicate"}).error().text == "there is no option \"--frobnicate\"");
    CHECK(read_words({"-x"}).error().code == base::Errc::syntax);
    CHECK(read_words({"queue", "list", "--older"}).error().code == base::Errc::syntax);
    CHECK(read_words({"--json=yes"}).error().code == base::Errc::syntax);
}

TEST_CASE("a log level that is none is a slip, and no fault of the configuration") {
    CHECK(read_words({"serve", "--log-level", "debug"}).value().value("log-level") == "debug");
    CHECK(read_words({"serve", "--log-level", "wraning"}).error().text ==
          "\"wraning\" is no log level: debug, info, warning or error; did you mean \"warning\"?");
    CHECK(read_words({"serve", "--log-level="}).error().code == base::Errc::syntax);
}

TEST_CASE("the help tells of each option") {
    const std::string text = options_text();
    for (const auto* const option : {"--config", "-h [ --help ]", "-V [ --version ]", "--lane"})
        CHECK_THAT(text, Catch::Contains(option));
    CHECK_THAT(text, !Catch::Contains("--words"));
}

TEST_CASE("the help of one command tells of its own options") {
    const std::vector<std::string_view> own = {"lane", "json"};
    const std::string text = options_text(own);
    for (const auto* const option : {"--lane LANE", "--json "})
        CHECK_THAT(text, Catch::Contains(option));
    for (const auto* const option : {"--config", "--domain", "--help"})
        CHECK_THAT(text, !Catch::Contains(option));
}
