// usage: each command line that means something is found, and of any other it is said why.
#include "app/command-line/usage.hpp"

#include "app/command-line/command_table.hpp"
#include "app/command-line/options.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

using namespace app;

namespace {

/// The usage of the command that the words mean, or what is said of them.
std::string said_of(const CommandWords& words) {
    const auto command = find_command(commands(), words);
    return command ? std::string((*command)->usage) : "no: " + command.error().text;
}

const Command& meant_by(const CommandWords& words) {
    return **find_command(commands(), words);
}

std::string for_whom(const CommandWords& words, std::string_view option) {
    const auto fits = check_option(commands(), meant_by(words), option);
    return fits ? "" : fits.error().text;
}

}  // namespace

TEST_CASE("words mean the command that they name") {
    CHECK(said_of({"serve"}) == "serve");
    CHECK(said_of({"check", "a.test", "b.test"}) == "check [DOMAIN...]");
    CHECK(said_of({"queue", "show", "1K0RSP7MA00"}) == "queue show ID [--json]");
    CHECK(said_of({"queue", "cancel"}) == said_of({"queue", "hold", "1", "2", "3"}));
    CHECK(said_of({"peers"}) == said_of({"peers", "list"}));
    CHECK(said_of({"senders"}) == said_of({"senders", "list"}));
    CHECK(said_of({"promise"}) == said_of({"promise", "list"}));
    CHECK(said_of({"peers", "block", "b.test"}) == "peers trust|limit|block|unset DOMAIN");
    CHECK(said_of({"resume"}) == "retire|resume [COMPONENT]");
    CHECK(said_of({"resume", "mail.a.test"}) == "retire|resume [COMPONENT]");
    CHECK(said_of({"help", "queue", "list"}) == "help [COMMAND]");
}

TEST_CASE("what is nearly a command is asked about") {
    CHECK(said_of({"qeue"}) == "no: there is no command \"qeue\"; did you mean \"queue\"?");
    CHECK(said_of({"qeue", "list"}) == "no: there is no command \"qeue\"; did you mean \"queue\"?");
    CHECK(said_of({"queue", "lsit"}) ==
          "no: there is no command \"queue lsit\"; did you mean \"queue list\"?");
    CHECK(said_of({"queue", "relase", "1"}) ==
          "no: there is no command \"queue relase\"; did you mean \"queue release\"?");
    CHECK(said_of({"peers", "blok", "b.test"}) ==
          "no: there is no command \"peers blok\"; did you mean \"peers block\"?");
    CHECK(said_of({"queue", "explode"}) == "no: there is no command \"queue explode\"");
    CHECK(said_of({"frobnicate"}) == "no: there is no command \"frobnicate\"");
    CHECK(said_of({"hold", "1"}) ==
          "no: there is no command \"hold\"; did you mean \"queue hold\"?");
    CHECK(said_of({"trust"}) == "no: there is no command \"trust\"; did you mean \"peers trust\"?");
    // A bar is how the table tells words apart, and no part of one.
    CHECK(said_of({"retire|resume"}) == "no: there is no command \"retire|resume\"");
    CHECK(said_of({""}) == "no: there is no command \"\"");
}

TEST_CASE("a command that lacks a word or has one too many is shown as it is used") {
    CHECK(said_of({}) == "no: which command?");
    CHECK(said_of({"queue"}) ==
          "no: which \"queue\" command? There are list, show, flush, hold, release, retry, cancel, "
          "bounce, verify");
    CHECK(said_of({"queue", "show"}) == "no: too few words: packetboat queue show ID [--json]");
    CHECK(said_of({"trace", "a", "b"}) == "no: too many words: packetboat trace NAME [--json]");
    CHECK(said_of({"off", "b.test"}) ==
          "no: too many words: packetboat off [--until 2h|TIME] [--json]");
    CHECK(said_of({"retire", "a", "b"}).starts_with("no: too many words"));
}

TEST_CASE("the arguments are what stands behind the command's own words") {
    const auto arguments = [](const CommandWords& words) {
        return arguments_of(meant_by(words), words);
    };
    CHECK(arguments({"check", "a.test", "b.test"}) == CommandWords{"a.test", "b.test"});
    CHECK(arguments({"queue", "hold", "1", "2"}) == CommandWords{"1", "2"});
    CHECK(arguments({"peers", "show", "b.test"}) == CommandWords{"b.test"});
    CHECK(arguments({"peers"}).empty());
    CHECK(arguments({"retire"}).empty());
}

TEST_CASE("an option is for the commands that take it") {
    CHECK(for_whom({"queue", "list"}, "limit").empty());
    CHECK(for_whom({"queue", "hold"}, "limit") == "--limit is for queue list");
    CHECK(for_whom({"queue", "list"}, "repair") == "--repair is for queue verify");
    CHECK(for_whom({"on"}, "until") == "--until is for off");
    CHECK(for_whom({"check"}, "socket") == "--socket is for complaint");
    CHECK(for_whom({"trace", "x"}, "older").starts_with("--older is for queue list, queue flush"));
    for (const CommandWords& words :
         {CommandWords{"serve"}, CommandWords{"queue", "list"}, CommandWords{"version"}})
        CHECK(for_whom(words, "config").empty());
}

TEST_CASE("the help has each command once, and that of a command only its own") {
    const std::string all = usage_of(commands(), {}).value();
    CHECK(base::split(all, "\n").size() == commands().size());
    CHECK(all.starts_with("usage: packetboat [options] serve\n       packetboat [options] setup"));
    CHECK(usage_of(commands(), {"queue", "show"}).value() ==
          "usage: packetboat [options] queue show ID [--json]\n");
    CHECK(base::split(usage_of(commands(), {"routes"}).value(), "\n").size() == 2);
    CHECK(usage_of(commands(), {"trace", "1K0RSP7MA00"}).value() ==
          "usage: packetboat [options] trace NAME [--json]\n");
    CHECK(usage_of(commands(), {"rotues"}).error().text ==
          "there is no command \"rotues\"; did you mean \"routes\"?");
    CHECK(usage_of(commands(), {"routes", "froget"}).error().code == base::Errc::syntax);
}

TEST_CASE("the options of commands are those that they take for themselves") {
    using Names = std::vector<std::string_view>;
    CHECK(options_of(commands(), {"off"}) == Names{"until", "json"});
    CHECK(options_of(commands(), {"queue", "verify"}) == Names{"repair", "json"});
    CHECK(options_of(commands(), {"serve"}).empty());
    const auto queue = options_of(commands(), {"queue"});
    CHECK(std::ranges::count(queue, "json") == 1);
    CHECK(std::ranges::count(queue, "lane") == 1);
    CHECK(std::ranges::count(queue, "until") == 0);
}

TEST_CASE("the table fits itself: usage, words and options tell the same") {
    for (const Command& each : commands()) {
        CAPTURE(each.usage);
        CHECK(each.least <= each.most);
        CHECK(each.usage.starts_with(each.name));
        CHECK(each.usage.find(each.sub) != std::string_view::npos);
        const bool needs_configuration =
            each.name != "version" && each.name != "help" && each.name != "setup";
        CHECK((each.run != nullptr) == needs_configuration);
        for (const auto name : base::split(each.options)) {
            const std::string option = "--" + std::string(name);
            CAPTURE(option);
            const std::string valued = option + "=x";
            const char* const flag[] = {"packetboat", option.c_str()};
            const char* const with_value[] = {"packetboat", valued.c_str()};
            CHECK((read_command_line(2, flag) || read_command_line(2, with_value)));
            const bool is_shown = each.usage.find(option) != std::string_view::npos ||
                                  each.usage.find("filters") != std::string_view::npos;
            CHECK(is_shown);
        }
    }
}
