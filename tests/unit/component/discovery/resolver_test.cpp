// DnsResolver against a small DNS server on a loopback socket.
#include "component/discovery/resolver.hpp"

#include "support/fakes.hpp"

using namespace component;
namespace asio = boost::asio;

namespace {

/// Answers each SRV question: with a record, or with a response code.
struct Dns {
    Dns() : socket(io, {asio::ip::address_v4::loopback(), 0}) { receive(); }
    void receive() {
        socket.async_receive_from(asio::buffer(query), client,
                                  [this](boost::system::error_code error, std::size_t size) {
                                      if (error) return;
                                      ++asked;
                                      if (!silent) answer(std::string(query.data(), size));
                                      receive();
                                  });
    }
    void answer(std::string reply) {
        const bool secure = reply.find("_xmpps-server") != std::string::npos;
        // A question only: without the additional records of EDNS.
        std::size_t end = 12;
        while (reply[end] != 0)
            end += static_cast<std::size_t>(reply[end]) + 1;
        reply.resize(end + 5);
        reply[2] = static_cast<char>(0x81);
        reply[3] = static_cast<char>(0x80 | code);
        reply[10] = reply[11] = 0;
        const bool has = secure ? secure_exists : plain_exists;
        reply[7] = has ? 1 : 0;
        if (has) {
            const std::string rdata = std::string("\0\0\0\0\x14\x95", 6) + target;
            reply += std::string("\xC0\x0C\0\x21\0\x01\0\0\0\x3C\0", 11) +
                     static_cast<char>(rdata.size()) + rdata;
        }
        socket.send_to(asio::buffer(reply), client);
    }
    SrvAnswer find() {
        DnsResolver resolver(fmt::format("127.0.0.1:{}", socket.local_endpoint().port()));
        return support::run<SrvAnswer>(
            io, [&] { return resolver.find_server(*mail::Domain::parse("b.test")); });
    }
    asio::io_context io;
    asio::ip::udp::socket socket;
    asio::ip::udp::endpoint client;
    std::array<char, 512> query{};
    char code = 0;
    bool secure_exists = false;
    bool plain_exists = false;
    bool silent = false;
    std::string target{"\4xmpp\1b\4test\0", 13};
    int asked = 0;
};

}  // namespace

// RFC 6120 3.2.1, RFC 2782, XEP-0368.
TEST_CASE("The DNS says whether there is an XMPP server") {
    Dns dns;
    SECTION("a record of either kind is enough") {
        dns.plain_exists = true;
        CHECK(dns.find() == SrvAnswer::exists);
        dns.plain_exists = false;
        dns.secure_exists = true;
        CHECK(dns.find() == SrvAnswer::exists);
    }
    SECTION("no such record") {
        CHECK(dns.find() == SrvAnswer::absent);
    }
    SECTION("no such name") {
        dns.code = 3;
        CHECK(dns.find() == SrvAnswer::absent);
    }
    SECTION("the target is a dot") {
        dns.plain_exists = true;
        dns.target = std::string(1, '\0');
        CHECK(dns.find() == SrvAnswer::absent);
    }
    SECTION("the server fails") {
        dns.code = 2;
        CHECK(dns.find() == SrvAnswer::unknown);
    }
    SECTION("an address literal has none") {
        DnsResolver resolver("127.0.0.1:1");
        CHECK(support::run<SrvAnswer>(dns.io, [&] {
                  return resolver.find_server(*mail::Domain::parse("[192.0.2.1]"));
              }) == SrvAnswer::absent);
        CHECK(dns.asked == 0);
    }
}
