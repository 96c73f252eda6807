#include "smtp-bridge/wire/endpoint.hpp"

#include "support/smtp-bridge/fixture.hpp"

#include <fstream>

using namespace smtp_bridge;

TEST_CASE("endpoints are read and written") {
    for (const char* text : {"127.0.0.1:2424", "[::1]:2424", "unix:/run/packetboat/lmtp"}) {
        const auto endpoint = Endpoint::parse(text);
        REQUIRE(endpoint);
        CHECK(endpoint->to_text() == text);
    }
    CHECK(Endpoint::parse_remote("mx.b.test:25")->host() == "mx.b.test");
    for (const char* text : {"", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x",
                             ":25", "::1:25", "[127.0.0.1]:25", "[::1:25", "[::g]:25",
                             "unix:relative", "unix:", "mx.b.test:25", "a b:25"}) {
        INFO(text);
        const auto endpoint = Endpoint::parse(text);
        REQUIRE_FALSE(endpoint);
        CHECK(endpoint.error().code == base::Errc::syntax);
    }
    CHECK_FALSE(Endpoint::parse("unix:/" + std::string(200, 'x')));
}

TEST_CASE("targets are read and written") {
    for (const char* text :
         {"smtp:127.0.0.1:25", "lmtp:unix:/run/dovecot/lmtp", "lmtp:mx.b.test:24", "smtp:[::1]:25"})
        CHECK(Target::parse(text)->to_text() == text);
    for (const char* text : {"", "smtp", "127.0.0.1:25", "http:127.0.0.1:25", "smtp:mx.b.test"})
        CHECK_FALSE(Target::parse(text));
}

// RFC 6125 6.4.2.
TEST_CASE("the name of a next hop is in A-labels, however it is written") {
    for (const char* text : {"smtp+tls:b\xC3\xBC"
                             "cher.test:25",
                             "smtp+tls:B\xC3\x9C"
                             "cher.test:25",
                             "smtp+tls:xn--bcher-kva.test:25"}) {
        const auto target = Target::parse(text);
        REQUIRE(target);
        CHECK(target->endpoint.host() == "xn--bcher-kva.test");
        CHECK(target->to_text() == "smtp+tls:xn--bcher-kva.test:25");
    }
    CHECK(Target::parse("smtp:mail_server:25")->endpoint.host() == "mail_server");
    CHECK_FALSE(
        Target::parse("smtp:b\xC3\xBC"
                      "cher..test:25"));
    CHECK_FALSE(Target::parse("smtp:b\xC3.test:25"));
}

TEST_CASE("a socket file is replaced only if nobody answers on it, and other files never") {
    const dialogue::Folder folder;
    const auto endpoint = *Endpoint::parse("unix:" + folder.socket());
    asio::io_context io;
    {
        const auto first = listen(io.get_executor(), endpoint, 0600);
        REQUIRE(first);
        const auto second = listen(io.get_executor(), endpoint, 0600);
        REQUIRE_FALSE(second);
        CHECK(second.error().code == base::Errc::conflict);
    }
    CHECK(std::filesystem::exists(folder.socket()));  // stale now
    CHECK(listen(io.get_executor(), endpoint, 0600));

    const auto other = *Endpoint::parse("unix:" + folder.socket("file"));
    std::ofstream(folder.socket("file")) << "precious";
    CHECK_FALSE(listen(io.get_executor(), other, 0600));
    CHECK(std::filesystem::file_size(folder.socket("file")) == 8);
}

TEST_CASE("an address that is not ours can't be listened on, and the text says which") {
    asio::io_context io;
    const auto acceptor = listen(io.get_executor(), *Endpoint::parse("192.0.2.1:2424"), 0);
    REQUIRE_FALSE(acceptor);
    CHECK(acceptor.error().text.find("192.0.2.1:2424") != std::string::npos);
}
