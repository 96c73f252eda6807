// Log lines: one event is one line, whatever is in its values.
#include "base/log.hpp"

#include <catch2/catch.hpp>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using base::log::Format;
using base::log::Level;
using base::log::Line;
using base::log::Sink;

namespace {

/// What `write` puts on stderr with a log configured as given; `in_journal`: JOURNAL_STREAM says
/// that this stderr is the journal.
std::string logged(Level level, Format format, const std::function<void()>& write,
                   bool in_journal = false) {
    spdlog::drop_all();  // configure() is for once in a program
    const int file = memfd_create("log", 0);
    const int kept = dup(STDERR_FILENO);
    dup2(file, STDERR_FILENO);
    struct stat found {};
    REQUIRE(fstat(file, &found) == 0);
    const std::string stream = std::to_string(found.st_dev) + ":" + std::to_string(found.st_ino);
    // Of another file, as a program has it that one in the journal has started.
    setenv("JOURNAL_STREAM", (in_journal ? stream : stream + "0").c_str(), 1);
    base::log::configure(level, format);
    write();
    spdlog::default_logger()->flush();
    unsetenv("JOURNAL_STREAM");
    dup2(kept, STDERR_FILENO);
    std::string text(static_cast<std::size_t>(lseek(file, 0, SEEK_END)), '\0');
    REQUIRE(pread(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    close(kept);
    close(file);
    return text;
}

/// The line without its time, which is `2026-12-01T00:00:00.000Z`.
std::string text_line(const Line& line) {
    const std::string text = logged(Level::debug, Format::text, [&] { line.info(); });
    REQUIRE(text.size() > 25);
    CHECK(text.at(10) == 'T');
    CHECK(text.at(23) == 'Z');
    return text.substr(25);
}

std::string json_line(const std::function<Line()>& line) {
    const std::string text = logged(Level::debug, Format::json, [&] { line().info(); });
    const std::string lead = R"({"time":"2026-12-01T00:00:00.000Z",)";
    REQUIRE(text.size() > lead.size());
    CHECK(text.substr(0, 9) == lead.substr(0, 9));
    return text.substr(lead.size());
}

}  // namespace

TEST_CASE("a line is event and values, quoted where they have to be") {
    logged(Level::debug, Format::text, [] {});
    CHECK(text_line(Line("deferred").with("id", "4Xb").with("n", 3)) ==
          "info event=deferred id=4Xb n=3\n");
    CHECK(text_line(Line("e").with("why", "no such user")) ==
          "info event=e why=\"no such user\"\n");
    CHECK(text_line(Line("e").with("why", "")) == "info event=e why=\"\"\n");
    CHECK(text_line(Line("e").with("why", "a=b")) == "info event=e why=\"a=b\"\n");
    CHECK(text_line(Line("e").with("why", "say \"hi\" \\")) ==
          "info event=e why=\"say \\\"hi\\\" \\\\\"\n");
    CHECK(text_line(Line("e").with("to", "j\xC3\xB6rg@b.test")) ==
          "info event=e to=\"j\xC3\xB6rg@b.test\"\n");
    CHECK(text_line(Line("e").with("n", std::int64_t(-5))) == "info event=e n=-5\n");
}

TEST_CASE("a value can't end its line, nor its quotes, nor add a key") {
    logged(Level::debug, Format::text, [] {});
    CHECK(text_line(Line("e").with("why", "x\nevent=delivered id=1")) ==
          "info event=e why=\"x?event=delivered id=1\"\n");
    CHECK(text_line(Line("e").with("why", "x\" event=\"y")) ==
          "info event=e why=\"x\\\" event=\\\"y\"\n");
    CHECK(text_line(Line("e").with("why", "\x1B[31mred\x7F\r")) ==
          "info event=e why=\"?[31mred??\"\n");
    CHECK(text_line(Line("e").with("why", "\xFF{}%s")) == "info event=e why=\"?{}%s\"\n");
}

TEST_CASE("a value is bounded") {
    logged(Level::debug, Format::text, [] {});
    const std::string line = text_line(Line("e").with("why", std::string(100'000, 'a')));
    CHECK(line.size() < 1100);
    CHECK(line.back() == '\n');
}

TEST_CASE("JSON lines are JSON") {
    CHECK(json_line([] { return Line("deferred").with("id", "4Xb").with("n", 3); }) ==
          R"("level":"info","event":"deferred","id":"4Xb","n":3})"
          "\n");
    CHECK(json_line([] { return Line("e").with("why", "x\",\"a\":\"b\n\\"); }) ==
          R"("level":"info","event":"e","why":"x\",\"a\":\"b?\\"})"
          "\n");
}

TEST_CASE("lines below the level are not written") {
    const std::string text = logged(Level::warning, Format::text, [] {
        Line("one").debug();
        Line("two").info();
        Line("three").warning();
        Line("four").error();
    });
    CHECK_THAT(text, !Catch::Contains("one") && !Catch::Contains("two"));
    CHECK_THAT(text, Catch::Contains("warning event=three\n"));
    CHECK_THAT(text, Catch::Contains("error event=four\n"));
}

TEST_CASE("the journal hears the priority of each line, and no time or level in words") {
    const auto write = [] {
        Line("one").debug();
        Line("two").info();
        Line("three").warning();
        Line("four").error();
    };
    CHECK(logged(Level::debug, Format::text, write, true) ==
          "<7>event=one\n<6>event=two\n<4>event=three\n<3>event=four\n");
    const std::string elsewhere = logged(Level::debug, Format::text, write);
    CHECK_THAT(elsewhere, Catch::Contains("Z warning event=three\n"));
    CHECK_THAT(elsewhere, !Catch::Contains("<"));
}

TEST_CASE("JSON in the journal has its priority before it, and is whole") {
    const std::string text = logged(
        Level::debug, Format::json, [] { Line("three").warning(); }, true);
    CHECK(text.starts_with(R"(<4>{"time":"2)"));
    CHECK_THAT(text, Catch::EndsWith(R"(Z","level":"warning","event":"three"})"
                                     "\n"));
}

TEST_CASE("the journal is what JOURNAL_STREAM names, and nothing else is") {
    using base::log::sink_of;
    CHECK(sink_of("8:12345", 8, 12345) == Sink::journal);
    CHECK(sink_of("18446744073709551615:18446744073709551615", UINT64_MAX, UINT64_MAX) ==
          Sink::journal);
    for (const char* const other : {"", "8", "8:", ":12345", "8:12346", "9:12345", "8:12345 ",
                                    "08:12345", "+8:12345", "8:12345:1", "12345:8", "\xFF"}) {
        CAPTURE(other);
        CHECK(sink_of(other, 8, 12345) == Sink::file);
    }
}
