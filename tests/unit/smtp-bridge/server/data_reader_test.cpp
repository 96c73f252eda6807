#include "smtp-bridge/server/data_reader.hpp"

#include "smtp-bridge/client/dot_stuffer.hpp"

using smtp_bridge::DataReader;
using smtp_bridge::DotStuffer;
using Fault = DataReader::Fault;

namespace {

struct Read {
    bool done = false;
    Fault fault = Fault::none;
    std::string content;
    std::size_t used = 0;
};

/// Feeds `wire` in two pieces, cut at `cut`.
Read read(std::string_view wire, std::size_t cut, std::size_t most = 1000) {
    DataReader reader(most);
    Read result;
    result.used = reader.feed(wire.substr(0, cut));
    if (!reader.done()) result.used += reader.feed(wire.substr(cut));
    result.done = reader.done();
    result.fault = reader.fault();
    if (result.fault == Fault::none) result.content = reader.take();
    return result;
}

/// The same at every cut; returns what they agree on.
Read read_cut_anywhere(std::string_view wire, std::size_t most = 1000) {
    const Read whole = read(wire, wire.size(), most);
    for (std::size_t cut = 0; cut < wire.size(); ++cut) {
        const Read pieces = read(wire, cut, most);
        INFO("cut at " << cut);
        CHECK(pieces.done == whole.done);
        CHECK(pieces.fault == whole.fault);
        CHECK(pieces.content == whole.content);
        CHECK(pieces.used == whole.used);
    }
    return whole;
}

}  // namespace

// RFC 5321 4.5.2.
TEST_CASE("a message ends with CRLF.CRLF and loses its stuffed dots") {
    const auto result =
        read_cut_anywhere("Subject: x\r\n\r\n..dot\r\n.other\r\n...\r\n.\r\nQUIT\r\n");
    CHECK(result.done);
    CHECK(result.fault == Fault::none);
    CHECK(result.content == "Subject: x\r\n\r\n.dot\r\nother\r\n..\r\n");
    CHECK(result.used == 37);
}

TEST_CASE("the empty message is a message") {
    const auto result = read_cut_anywhere(".\r\n");
    CHECK(result.done);
    CHECK(result.content.empty());
}

// RFC 5321 2.3.8, RFC 5321 4.1.1.4.
TEST_CASE("no smuggled end of data is one, and each is refused at the real end") {
    struct Variant {
        std::string end;
        Fault fault;
    };
    using namespace std::string_literals;
    const auto variant = GENERATE(values<Variant>({
        {"\n.\n", Fault::bare_lf},
        {"\n.\r\n", Fault::bare_lf},
        {"\r\n.\n", Fault::bare_lf},
        {"\r.\r", Fault::bare_cr},
        {"\r.\r\n", Fault::bare_cr},
        {"\r\n.\r", Fault::bare_cr},
        {"\r.\n", Fault::bare_cr},
        {"\n.\r", Fault::bare_lf},
        {"\n\n.\r\n", Fault::bare_lf},
        {"\r\r\n.\r\r\n", Fault::bare_cr},
        {"\r\n.\r\r\n", Fault::bare_cr},
    }));
    const std::string smuggled = "MAIL FROM:<evil@a.test>\r\n";
    const std::string wire = "text" + variant.end + smuggled + "\r\n.\r\n";
    INFO(variant.end.size() << " bytes");
    const auto result = read_cut_anywhere(wire);
    CHECK(result.done);
    CHECK(result.fault == variant.fault);
    CHECK(result.used == wire.size());
}

// RFC 5321 4.5.2.
TEST_CASE("a NUL ends nothing, wherever it stands, and is noted") {
    using namespace std::string_literals;
    const std::string smuggled = "MAIL FROM:<evil@a.test>\r\n";
    for (const std::string& end : {"\r\n\0.\r\n"s, "\r\n.\0\r\n"s, "\0\r\n"s, "\r\n\0\r\n"s}) {
        const std::string wire = "text" + end + smuggled + ".\r\n";
        const auto result = read_cut_anywhere(wire);
        CHECK(result.done);
        CHECK(result.fault == Fault::none);
        CHECK(result.used == wire.size());
        CHECK(result.content.ends_with(smuggled));
        CHECK(result.content.find('\0') != std::string::npos);
        DataReader reader(1000);
        reader.feed(wire);
        CHECK(reader.has_nul());
    }
    DataReader plain(100);
    plain.feed("abc\r\n.\r\n");
    CHECK_FALSE(plain.has_nul());
}

TEST_CASE("CR CR LF before the dot is refused, though CRLF.CRLF follows it") {
    const auto result = read_cut_anywhere("text\r\r\n.\r\n");
    CHECK(result.done);
    CHECK(result.fault == Fault::bare_cr);
}

// RFC 1870 5.
TEST_CASE("a message over the size is read to its end and refused") {
    const std::string wire = std::string(30, 'x') + "\r\n.\r\n";
    CHECK(read_cut_anywhere(wire, 32).fault == Fault::none);
    const auto result = read_cut_anywhere(wire, 31);
    CHECK(result.done);
    CHECK(result.fault == Fault::too_large);
}

TEST_CASE("octets with the high bit are noticed") {
    DataReader plain(100);
    plain.feed("abc\r\n.\r\n");
    CHECK_FALSE(plain.eight_bit());
    DataReader eight(100);
    eight.feed("\xE4\r\n.\r\n");
    CHECK(eight.eight_bit());
}

// RFC 5321 4.5.2.
TEST_CASE("what is stuffed is read as it was, however it is cut") {
    const std::string message = ".\r\n..\r\n.a\r\n\r\n. \r\nno dot.\r\n.\r\n";
    for (std::size_t cut = 0; cut <= message.size(); ++cut) {
        DotStuffer stuffer;
        std::string wire;
        stuffer.feed(std::string_view(message).substr(0, cut), wire);
        stuffer.feed(std::string_view(message).substr(cut), wire);
        stuffer.finish(wire);
        const auto result = read(wire, wire.size());
        CHECK(result.done);
        CHECK(result.content == message);
    }
    DotStuffer empty;
    std::string wire;
    empty.finish(wire);
    CHECK(wire == ".\r\n");
}
