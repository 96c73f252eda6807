// DnsResolver, DnsTextResolver and DnsAddressResolver against a small DNS server on a loopback
// socket.
#include "component/discovery/resolver.hpp"

#include "component/discovery/address_resolver.hpp"
#include "component/discovery/text_resolver.hpp"
#include "support/fakes.hpp"

using namespace component;
namespace asio = boost::asio;

namespace {

/// A record's data for one text: character-strings of at most 255 octets.
std::string text_data(std::string_view text) {
    std::string data;
    for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(text.size(), 255))) {
        const auto part = text.substr(0, 255);
        data += static_cast<char>(part.size());
        data += part;
    }
    return data;
}

/// A record of the name that was asked for.
std::string record(char type, char ttl, const std::string& data) {
    return std::string("\xC0\x0C\0", 3) + type + std::string("\0\x01\0\0\0", 5) + ttl +
           static_cast<char>(data.size() >> 8u) + static_cast<char>(data.size() & 0xFFu) + data;
}

/// Answers each SRV question: with a record, or with a response code; and questions for TXT and A
/// with `records`, or not at all.
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
        if (reply[end + 2] == 16 || reply[end + 2] == 1) return answer_records(std::move(reply));
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
    void answer_records(std::string reply) {
        const std::string label = reply.substr(13, static_cast<std::size_t>(reply[12]));
        const auto found = records.find(label);
        if (label == "silent") return;
        reply[2] = static_cast<char>(0x81);
        reply[3] = static_cast<char>(0x80 | (label == "none" ? 3 : label == "broken" ? 2 : 0));
        reply[10] = reply[11] = 0;
        reply[7] = static_cast<char>(found == records.end() ? 0 : found->second.size());
        if (found != records.end()) {
            for (const auto& each : found->second)
                reply += each;
        }
        socket.send_to(asio::buffer(reply), client);
    }
    std::vector<TextAnswer> find_texts(const std::vector<std::string>& names) {
        DnsTextResolver resolver(fmt::format("127.0.0.1:{}", socket.local_endpoint().port()));
        return support::run<std::vector<TextAnswer>>(
            io, [&] { return resolver.find_texts(names, limit); });
    }
    std::vector<AddressAnswer> find_addresses(const std::vector<std::string>& names) {
        DnsAddressResolver resolver(fmt::format("127.0.0.1:{}", socket.local_endpoint().port()));
        return support::run<std::vector<AddressAnswer>>(
            io, [&] { return resolver.find_addresses(names, limit); });
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
    std::map<std::string, std::vector<std::string>> records;  ///< by the name's first label
    std::chrono::milliseconds limit{20'000};
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
        CHECK(dns.find() == SrvAnswer::denied);
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

// RFC 1035 3.3.14.
TEST_CASE("The texts at several names are asked for at once") {
    Dns dns;
    dns.records["one"] = {record(16, 100, text_data("v=DMARC1; p=none"))};
    dns.records["two"] = {record(16, 100, text_data("first")), record(33, 1, "no text"),
                          record(16, 50, text_data(std::string(300, 'x') + "end")),
                          record(16, 60, "")};
    dns.records["alias"] = {record(5, 1, std::string("\3two\1b\4test\0", 12))};
    const auto answers =
        dns.find_texts({"one.b.test", "two.b.test", "none.b.test", "empty.b.test", "alias.b.test",
                        "broken.b.test", std::string(64, 'x') + ".b.test"});
    REQUIRE(answers.size() == 7);
    CHECK(answers[0].known);
    CHECK(answers[0].texts == std::vector<std::string>{"v=DMARC1; p=none"});
    CHECK(answers[0].ttl == std::chrono::seconds(100));
    CHECK(answers[1].texts == std::vector<std::string>{"first", std::string(300, 'x') + "end", ""});
    CHECK(answers[1].ttl == std::chrono::seconds(50));
    for (const std::size_t i : {2u, 3u, 4u, 6u}) {
        INFO(i);
        CHECK(answers[i].known);
        CHECK(answers[i].texts.empty());
    }
    CHECK_FALSE(answers[5].known);
}

TEST_CASE("Texts that are broken, too long or too many are not known") {
    Dns dns;
    dns.records["beyond"] = {record(16, 1,
                                    "\x05"
                                    "abc")};
    dns.records["by-one"] = {record(16, 1,
                                    "\x04"
                                    "abc")};
    dns.records["cut"] = {record(16, 1, text_data("abc")).substr(0, 13)};
    dns.records["many"] = std::vector<std::string>(TextResolver::kTexts + 1, record(16, 1, ""));
    dns.records["most"] = std::vector<std::string>(TextResolver::kTexts, record(16, 1, ""));
    dns.records["long"] = {
        record(16, 1, text_data(std::string(TextResolver::kTextBytes + 1, 'x')))};
    const auto answers = dns.find_texts({"beyond.b.test", "by-one.b.test", "cut.b.test",
                                         "many.b.test", "long.b.test", "most.b.test"});
    for (std::size_t i = 0; i < 5; ++i) {
        INFO(i);
        CHECK_FALSE(answers[i].known);
        CHECK(answers[i].texts.empty());
    }
    CHECK(answers[5].texts.size() == TextResolver::kTexts);
}

TEST_CASE("What is not answered in time is not known, and what came is") {
    Dns dns;
    dns.limit = std::chrono::milliseconds(1);
    CHECK_FALSE(dns.find_texts({"silent.b.test"}).front().known);
    dns.limit = std::chrono::milliseconds(3000);
    dns.records["one"] = {record(16, 1, text_data("x"))};
    const auto answers = dns.find_texts({"silent.b.test", "one.b.test"});
    CHECK_FALSE(answers[0].known);
    CHECK(answers[1].known);
    CHECK(dns.find_texts({}).empty());
    // More names than are asked at once.
    dns.asked = 0;
    const std::vector<std::string> many(TextResolver::kNames + 1, "one.b.test");
    const auto some = dns.find_texts(many);
    CHECK(some.size() == many.size());
    CHECK_FALSE(some.back().known);
    CHECK(some[TextResolver::kNames - 1].known);
    // Nobody listens there.
    DnsTextResolver resolver("127.0.0.1:1");
    const auto refused = support::run<std::vector<TextAnswer>>(dns.io, [&] {
        return resolver.find_texts({"one.b.test"}, std::chrono::milliseconds(1000));
    });
    CHECK_FALSE(refused.front().known);
}

// RFC 5782 3.
TEST_CASE("The addresses at several names are asked for at once") {
    Dns dns;
    dns.records["one"] = {record(1, 100, std::string("\x7F\0\0\2", 4)),
                          record(1, 50, "\x7F\1\2\xFE"), record(5, 1, std::string("\1x\0", 3))};
    dns.records["short"] = {record(1, 100, std::string("\x7F\0\0", 3))};
    dns.records["many"] = std::vector<std::string>(AddressResolver::kAddresses + 1,
                                                   record(1, 1, std::string("\x7F\0\0\2", 4)));
    const auto answers = dns.find_addresses({"one.b.test", "none.b.test", "short.b.test"});
    REQUIRE(answers.size() == 3);
    CHECK(answers[0].known);
    CHECK(answers[0].addresses == std::vector<std::uint32_t>{0x7F000002, 0x7F0102FE});
    CHECK(answers[0].ttl == std::chrono::seconds(50));
    CHECK(answers[1].known);
    CHECK(answers[1].addresses.empty());
    CHECK_FALSE(answers[2].known);
    CHECK_FALSE(dns.find_addresses({"many.b.test"}).front().known);
    const auto some =
        dns.find_addresses(std::vector<std::string>(AddressResolver::kNames + 1, "one.b.test"));
    CHECK(some[AddressResolver::kNames - 1].known);
    CHECK_FALSE(some.back().known);
}

TEST_CASE("A resolver is asked whether it answers, whatever it says") {
    Dns dns;
    const auto server = fmt::format("127.0.0.1:{}", dns.socket.local_endpoint().port());
    const auto probe = [&] {
        return support::run<base::Result<void>>(dns.io, [&] { return probe_resolver(server); });
    };
    CHECK(probe());
    for (const char refused : {2, 3, 5}) {
        dns.code = refused;
        CHECK(probe());
    }
    dns.socket.close();
    const auto silent = probe();
    REQUIRE_FALSE(silent);
    CHECK(silent.error().code == base::Errc::timeout);
}

TEST_CASE("Where other servers find one") {
    Dns dns;
    const auto server = fmt::format("127.0.0.1:{}", dns.socket.local_endpoint().port());
    using Found = base::Result<std::vector<ServerAddress>>;
    const auto find = [&] {
        return support::run<Found>(
            dns.io, [&] { return find_servers(server, *mail::Domain::parse("b.test")); });
    };
    const auto none = find();
    REQUIRE(none);
    REQUIRE(none->size() == 1);
    CHECK(none->front().host == "b.test");
    CHECK(none->front().port == 5269);
    dns.plain_exists = true;
    auto found = find();
    REQUIRE(found);
    REQUIRE(found->size() == 1);
    CHECK(found->front().host == "xmpp.b.test");
    CHECK(found->front().port == 5269);
    CHECK_FALSE(found->front().direct_tls);
    dns.plain_exists = false;
    dns.secure_exists = true;
    found = find();
    REQUIRE(found);
    CHECK(found->front().direct_tls);
    dns.target = std::string("\0", 1);
    found = find();
    REQUIRE_FALSE(found);
    CHECK(found.error().code == base::Errc::not_found);
    dns.code = 2;
    dns.secure_exists = false;
    found = find();
    REQUIRE_FALSE(found);
    CHECK(found.error().code == base::Errc::timeout);
}
