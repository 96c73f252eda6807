#include "smtp-bridge/client/reply_parser.hpp"

#include "base/limits.hpp"

using smtp_bridge::ReplyParser;

namespace {

mail::Reply reply_of(std::string_view wire) {
    ReplyParser parser;
    const auto used = parser.feed(wire);
    REQUIRE(used);
    REQUIRE(parser.done());
    CHECK(*used == wire.size());
    return parser.take().to_mail();
}

base::Errc error_of(const std::string& wire) {
    ReplyParser parser;
    const auto used = parser.feed(wire);
    REQUIRE_FALSE(used);
    return used.error().code;
}

}  // namespace

// RFC 5321 4.2, RFC 2034 4.
TEST_CASE("a reply of one line, with and without a status") {
    CHECK(reply_of("550 5.1.1 No such user\r\n") == mail::Reply{550, {5, 1, 1}, "No such user"});
    CHECK(reply_of("250 Ok\r\n") == mail::Reply{250, {2, 0, 0}, "Ok"});
    CHECK(reply_of("250\r\n") == mail::Reply{250, {2, 0, 0}, ""});
    // A status of another class than the code is only text.
    CHECK(reply_of("450 5.1.1 x\r\n") == mail::Reply{450, {4, 0, 0}, "5.1.1 x"});
}

// RFC 5321 4.2.1.
TEST_CASE("a reply of several lines becomes one text") {
    CHECK(reply_of("554-5.7.1 Go\r\n554-5.7.1 away,\r\n554 5.7.1 please\r\n") ==
          mail::Reply{554, {5, 7, 1}, "Go away, please"});
}

TEST_CASE("replies cut anywhere, one behind the other") {
    const std::string wire = "250-first\r\n250 SIZE 10\r\n354 go\r\n";
    for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
        ReplyParser parser;
        std::vector<int> codes;
        for (std::string_view piece :
             {std::string_view(wire).substr(0, cut), std::string_view(wire).substr(cut)}) {
            while (!piece.empty()) {
                const auto used = parser.feed(piece);
                REQUIRE(used);
                piece.remove_prefix(*used);
                if (parser.done()) codes.push_back(parser.take().code);
            }
        }
        CHECK(codes == std::vector<int>{250, 354});
    }
}

// RFC 5321 4.5.3.1.5.
TEST_CASE("what is no reply is an error, and so is too much of one") {
    using base::Errc;
    for (const char* wire : {"hello\r\n", "25 x\r\n", "999 x\r\n", "150 x\r\n", "250x\r\n",
                             "250-a\r\n251 b\r\n", "\r\n", "2\r\n"}) {
        INFO(wire);
        CHECK(error_of(wire) == Errc::protocol);
    }
    CHECK(error_of("250 " + std::string(base::limits::kReplyLine, 'x')) == Errc::limit);
    std::string lines;
    for (std::size_t i = 0; i <= base::limits::kReplyLines; ++i)
        lines += "250-x\r\n";
    CHECK(error_of(lines) == Errc::limit);
}

TEST_CASE("a server's words are bounded and printable") {
    const auto reply = reply_of("550 5.1.1 a\tb\x07" + std::string(1000, 'x') + "\r\n");
    CHECK(reply.text.size() == base::limits::kStatusText);
    CHECK(reply.text.starts_with("a?b?xxx"));
}
