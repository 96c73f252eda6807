// The client over TLS, and where it can't be had: S is the script, C the real client.
#include "support/smtp-bridge/certificate.hpp"
#include "support/smtp-bridge/hop.hpp"

#include <openssl/ssl.h>

using namespace smtp_bridge;
using fixture::Certificate;
using fixture::Link;
using fixture::message;
using fixture::to_text;

namespace {

const std::string kStartTls = R"(
    S: 220 mx.b.test ready
    C: EHLO mail.b.test
    S: 250-mx.b.test
    S: 250-SIZE 5
    S: 250 STARTTLS
    C: STARTTLS
    S: 220 go
)";
const std::string kQuit = "C: QUIT\nS: 221 bye\n";

}  // namespace

// RFC 3207 4, RFC 3207 4.2, RFC 8689 4.2.1.
TEST_CASE("what was announced in the clear, by whomever, counts no more over TLS") {
    const Certificate certificate("IP:127.0.0.1");
    Link link(kStartTls + R"(
        C: <tls>
        C: EHLO mail.b.test
        S: 250-mx.b.test
        S: 250-PIPELINING
        S: 250 REQUIRETLS
        C: MAIL FROM:<alice@a.test> REQUIRETLS
        C: RCPT TO:<bob@b.test>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 354 go
        C: Subject: x
        C: .
        S: 250 2.0.0 taken
    )" + kQuit,
              certificate.server(), certificate.client());
    CHECK(link.open() == "");
    auto leased = message("Subject: x\r\n", {"bob@b.test"});
    leased.envelope.requiretls = true;
    CHECK(to_text(link.send(leased).outcomes.front()) == "delivered 250 2.0.0");
    CHECK(link.trouble() == "");
}

// RFC 3207 6.
TEST_CASE("a server that offers no TLS gets nothing in the clear") {
    const Certificate certificate("IP:127.0.0.1");
    Link link(R"(
        S: 220 mx.b.test ready
        C: EHLO mail.b.test
        S: 250-mx.b.test
        S: 250 PIPELINING
        C: <end>)",
              certificate.server(), certificate.client());
    CHECK(link.open() == "451 4.7.5");
    CHECK(link.trouble() == "");
}

// RFC 3207 4.1.
TEST_CASE("a server whose certificate is nobody's, or somebody else's, gets nothing") {
    const Certificate theirs("IP:127.0.0.1");
    const Certificate unknown("IP:127.0.0.1");
    const Certificate misnamed("DNS:mx.b.test");
    SECTION("signed by none that we trust") {
        Link link(kStartTls + "C: <no tls>\n", unknown.server(), theirs.client());
        CHECK(link.open() == "451 4.7.5");
        CHECK(link.trouble() == "");
    }
    SECTION("trusted, with another name") {
        Link link(kStartTls + "C: <no tls>\n", misnamed.server(), misnamed.client());
        CHECK(link.open() == "451 4.7.5");
        CHECK(link.trouble() == "");
    }
}

// RFC 8996.
TEST_CASE("neither end speaks less than TLS 1.2") {
    const Certificate certificate("IP:127.0.0.1");
    for (const auto& context : {certificate.server(), certificate.client()})
        CHECK(SSL_CTX_get_min_proto_version(context->native_handle()) == TLS1_2_VERSION);
}

// RFC 8689 4.2.1.
TEST_CASE("REQUIRETLS that is announced in the clear is worth nothing") {
    Link link("smtp", R"(
        S: 220 mx.b.test ready
        C: EHLO mail.b.test
        S: 250-mx.b.test
        S: 250 REQUIRETLS
    )" + kQuit);
    CHECK(link.open() == "");
    auto leased = message("Subject: x\r\n", {"bob@b.test"});
    leased.envelope.requiretls = true;
    CHECK(to_text(link.send(leased).outcomes.front()) == "failed 550 5.7.30");
    CHECK(link.trouble() == "");
}
