// The transfer codec and the block codec: round trips, and what hostile peers send.
#include "component/protocol/transfer_codec.hpp"

#include "support/component/doubles.hpp"

#include <regex>

using namespace component;
using namespace doubles;

namespace {

const base::TimePoint kExpires = *base::parse_datetime("2026-12-01T00:00:00Z");

OutgoingMessage message(std::string id, mail::Envelope envelope, std::string content) {
    return {{domain("a.test"), std::move(id)},
            std::move(envelope),
            mail::Content(std::move(content)),
            kExpires};
}

std::string encode(const std::vector<OutgoingMessage>& messages, EncodeOptions options = {}) {
    BlockCodec codec;
    const std::string payload = *encode_transfers(messages, options, codec);
    keep_stanza(*write_iq({"set", "q1", "mail.a.test", "mail.b.test"}, payload));
    return payload;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

std::string why(const std::string& payload, std::string_view type = "set") {
    const auto read = read_payload(payload, type);
    const auto* malformed = std::get_if<Malformed>(&read);
    return malformed == nullptr ? "" : malformed->why;
}

const std::string kId = "019face33801a4c123b1612dd272d137";

}  // namespace

TEST_CASE("a complaint names the transfer, and what is said of it") {
    for (const bool is_spam : {true, false}) {
        const queue::Complaint complaint{{domain("a.test"), kId}, is_spam};
        const std::string payload = encode_complaint(complaint);
        keep_stanza(*write_iq({"set", "q1", "mail.b.test", "mail.a.test"}, payload));
        const auto read = read_payload(payload);
        REQUIRE(std::holds_alternative<IncomingComplaint>(read));
        CHECK(std::get<IncomingComplaint>(read).complaint == complaint);
    }
    const std::string good = encode_complaint({{domain("a.test"), kId}, true});
    CHECK(why(replaced(good, " kind='spam'", "")) == "the attribute kind is missing");
    CHECK(why(replaced(good, "'spam'", "'SPAM'")) == "the kind is neither spam nor not-spam");
    CHECK(why(replaced(good, "kind=", "by='bob@b.test' kind=")) == "undefined attribute by");
}

TEST_CASE("What A encodes, B decodes to the same values") {
    auto rich =
        envelope("alice@a.test", {"bob@b.test", "\"odd <&'\\\" one\"@b.test", "carol@b.test"});
    rich.body = mail::Body::eight_bit_mime;
    rich.requiretls = true;
    rich.ret = mail::Ret::headers;
    rich.envid = "QQ+1=2";
    rich.recipients[0].notify = {false, true, true, false};
    rich.recipients[0].orcpt = "rfc822;bob+x@b.test";
    rich.recipients[2].notify.never = true;
    rich.recipients[2].n = 65535;
    auto utf8 = envelope("\xC5\xBEofie@a.test", {"j\xC3\xBCrgen@b.test"});
    utf8.smtputf8 = true;
    const std::string first = "Subject: one\r\n\r\n" + std::string(5000, 'x') + "\r\n";
    std::string second("\0\x01\xFF binary \r\n", 13);
    for (const bool deflate : {true, false}) {
        const auto payload =
            encode({message(kId + "a", rich, first), message(kId + "b", utf8, second),
                    message(kId + "c", envelope("", {"bob@b.test"}), "")},
                   {deflate});
        auto read = read_payload(payload);
        auto& batch = std::get<IncomingBatch>(read);
        REQUIRE(batch.transfers.size() == 3);
        CHECK(batch.deflated == deflate);
        CHECK(batch.transfers[0].envelope == rich);
        CHECK(batch.transfers[1].envelope == utf8);
        CHECK_FALSE(batch.transfers[2].envelope.from);
        CHECK(batch.transfers[1].key.id == kId + "b");
        CHECK(batch.transfers[0].expires == kExpires);
        BlockCodec codec;
        auto bytes = base64_decode(batch.block);
        REQUIRE(bytes);
        if (deflate) bytes = codec.inflate(*bytes, batch.block_size);
        REQUIRE(bytes);
        CHECK(*bytes == first + second);
        CHECK(batch.transfers[1].offset == first.size());
        CHECK(mail::sha256(second) == batch.transfers[1].hash);
    }
}

TEST_CASE("The digest is over values, not over XML or encoding") {
    const auto mail = message(kId, envelope("alice@a.test", {"bob@b.test"}),
                              "Subject: x\r\n\r\n" + std::string(500, 'x'));
    const auto digest = [](const std::string& payload) {
        auto read = read_payload(payload);
        return digest_of(std::get<IncomingBatch>(read).transfers.at(0));
    };
    const auto one = digest(encode({mail}));
    CHECK(digest(encode({mail}, {false})) == one);
    auto other = mail;
    other.envelope.recipients[0].address = mailbox("Bob@b.test");
    CHECK(digest(encode({other})) != one);
    other = mail;
    other.expires += std::chrono::seconds(1);
    CHECK(digest(encode({other})) != one);
    other = mail;
    other.content = mail::Content("else");
    CHECK(digest(encode({other})) != one);
}

TEST_CASE("A malformed request is named as such") {
    const auto good = encode(
        {message(kId, envelope("alice@a.test", {"bob@b.test"}), "Subject: x\r\n\r\n")}, {false});
    REQUIRE(why(good).empty());
    const std::vector<std::pair<std::string, std::string>> mistakes = {
        {"id='" + kId, "id='UPPER" + kId},
        {"id='" + kId + "'", "id='short'"},
        {"domain='a.test'", "domain='A.test'"},
        {"domain='a.test'", "domain='a.test.'"},
        {"domain='a.test'", "x='1' domain='a.test'"},
        {"<from addr='alice@a.test'/>", ""},
        {"alice@a.test", "alice"},
        {"n='0'", "n='-1'"},
        {"n='0'", "n='65536'"},
        {"n='0'", ""},
        {"addr='bob@b.test'", "addr='bob@b.test&#13;&#10;DATA'"},
        // What SMTP has beyond the grammar, XMPP has not.
        {"addr='alice@a.test'", "addr='alice@web_01.a.test'"},
        {"addr='alice@a.test'", "addr='alice@host.123'"},
        {"addr='alice@a.test'", "addr='&quot;a&#9;b&quot;@a.test'"},
        {"addr='bob@b.test'", "addr='bob@b.test.'"},
        {"addr='bob@b.test'", "addr='bob..bob@b.test'"},
        {"addr='bob@b.test'", "addr='bob\xC2\x85@b.test'"},
        {"addr='bob@b.test'", "addr='@a.test:bob@b.test'"},
        {"addr='bob@b.test'", "addr='bob@b.test' notify='NEVER'"},
        {"addr='bob@b.test'", "addr='bob@b.test' notify='never delay'"},
        {"addr='bob@b.test'", "addr='bob@b.test' orcpt='x'"},
        {"addr='bob@b.test'", "addr='bob@b.test' orcpt=';bob@b.test'"},
        // It would be one more command to the local mail server.
        {"addr='bob@b.test'", "addr='bob@b.test' orcpt='rfc822&#13;&#10;RSET;bob@b.test'"},
        {"addr='bob@b.test'", "addr='bob@b.test' orcpt='rfc822 x;bob@b.test'"},
        {"addr='bob@b.test'", "addr='bob@b.test' orcpt='rfc822;j+C3+B6rg@b.test'"},
        {"addr='bob@b.test'", "addr='bob@b.test' orcpt='utf-8;\\x{110000}@b.test'"},
        {"<envelope", "<envelope envid='a+C3+A4b'"},
        {"<envelope", "<envelope envid='\xC3\xA4'"},
        {"2026-12-01T00:00:00Z", "2026-12-01"},
        {"2026-12-01T00:00:00Z", "2026-12-01T00:00:00+00:00"},
        {"off='0'", "off='1'"},
        {"<content off='0' size='14'/>", "<content off='0' size='13'/>"},
        {"enc='none' size='14'", "enc='none' size='15'"},
        {"enc='none'", "enc='gzip'"},
        {"algo='sha-256'", "algo='md5'"},
        {"<envelope", "<envelope ret='all'"},
        {"<envelope", "<envelope smtputf8='yes'"},
        {"<block", "<evil/><block"},
        {"<block", "text<block"},
        {"size='14' expires", "size='99999999999999999999' expires"},
        {"<rcpt", "<rcpt n='0' addr='carol@b.test'/><rcpt"},
    };
    for (const auto& [from, to] : mistakes) {
        INFO(from << " -> " << to);
        CHECK_FALSE(why(replaced(good, from, to)).empty());
    }
    // Other namespaces are ignored.
    CHECK(why(replaced(good, "<block", "<x xmlns='urn:other'><y>text</y></x><block")).empty());
    const auto transfer =
        good.substr(good.find("<transfer "), good.find("<block") - good.find("<transfer "));
    CHECK(why(replaced(good, "<block", transfer + "<block")) != "");
}

TEST_CASE("Verdicts make the round trip, and bad ones are refused") {
    Verdicts verdicts{{{domain("a.test"), kId}, Verdict::State::done, "4XB0", {}, 0, 0}};
    verdicts[0].recipients.push_back({0, {250, {2, 1, 5}, ""}});
    verdicts[0].recipients.push_back({7, {550, {5, 1, 1}, "No <such> user\r\nhere"}});
    auto read = read_payload(encode_verdicts(verdicts, 512), "result");
    const auto& got = std::get<Verdicts>(read);
    REQUIRE(got.size() == 1);
    CHECK(got[0].key == verdicts[0].key);
    CHECK(got[0].queue_id == "4XB0");
    CHECK(got[0].recipients[0] == verdicts[0].recipients[0]);
    CHECK(got[0].recipients[1].reply.code == 550);
    CHECK(got[0].recipients[1].reply.text == "No <such> user??here");
    const auto good = encode_verdicts(verdicts, 0);
    for (const auto& [from, to] :
         std::vector<std::pair<std::string, std::string>>{{"code='550'", "code='350'"},
                                                          {"status='5.1.1'", "status='4.1.1'"},
                                                          {"state='done'", "state='unknown'"},
                                                          {"n='7'", "n='0'"},
                                                          {"queue-id='4XB0'", "queue-id='&lt;'"}}) {
        CHECK_FALSE(why(replaced(good, from, to), "result").empty());
    }
    // A reply of a wrong class still leaves as one that the schema knows.
    verdicts[0].recipients[0].reply = {354, {9, 0, 0}, "?"};
    CHECK(why(encode_verdicts(verdicts, 512), "result").empty());
}

TEST_CASE("Blocks that lie about their size are refused, bombs before they grow") {
    BlockCodec codec;
    const std::string zeros(4u << 20, '\0');
    const auto bomb = codec.deflate(zeros);
    REQUIRE(bomb.size() < 20000);
    CHECK_FALSE(codec.inflate(bomb, 100));
    CHECK_FALSE(codec.inflate(bomb, zeros.size() + 1));
    CHECK_FALSE(codec.inflate(bomb + "x", zeros.size()));
    CHECK_FALSE(codec.inflate("garbage!", 100));
    CHECK(codec.inflate(bomb, zeros.size())->size() == zeros.size());
    CHECK(codec.deflate("x").empty());
}

// RFC 1951.
TEST_CASE("one codec after the other block, whatever their lengths and contents") {
    BlockCodec codec;
    support::SeededRandom random;
    constexpr std::string_view kLetters = "etaoin shrdlu\r\n";
    for (const std::size_t size : {2u, 3u, 50u, 4096u, 65537u, 300000u, 100u, 1000000u, 7u}) {
        std::string text;
        while (text.size() < size)
            text += kLetters[random.below(kLetters.size())];
        const auto deflated = codec.deflate(text);
        if (size >= 4096) CHECK(deflated.size() < size * 6 / 10);
        if (!deflated.empty()) CHECK(codec.inflate(deflated, size).value() == text);
        std::string noise(size, '\0');
        random.fill({reinterpret_cast<std::uint8_t*>(noise.data()), noise.size()});
        CHECK(codec.deflate(noise).empty());
    }
}

// RFC 4648 3.3, RFC 4648 4.
TEST_CASE("base64 is strict") {
    for (std::size_t size = 0; size < 70; ++size) {
        std::string bytes;
        for (std::size_t i = 0; i < size; ++i)
            bytes += static_cast<char>(i * 37);
        CHECK(*base64_decode(base64_encode(bytes)) == bytes);
        CHECK(base64_encode(bytes).size() == base64_size(size));
    }
    for (const auto* bad : {"A", "AA", "AAA", "====", "A===", "AA=A", "=AAA", " AAA", "AAA\n",
                            "AA A", "A-_A", "AA==AAAA",
                            "\xFF"
                            "AAA"})
        CHECK_FALSE(base64_decode(bad));
}

TEST_CASE("the digest is the one that the protocol document gives for its example") {
    const auto hash = *base64_decode("ToRsSh5aQL94wb9GemsrbMzWS0QZ8NgYHZ0JNqMXxcQ=");
    IncomingTransfer transfer{{domain("a.test"), "01a1fd8c6906d0b7a7b0a0f5b2f34f0c8f2d3a9be671"},
                              envelope("alice@a.test", {"bob@b.test", "nobody@b.test"}),
                              *base::parse_datetime("2026-11-26T10:00:00Z"),
                              {},
                              0,
                              508};
    std::ranges::copy(hash, transfer.hash.begin());
    const auto digest = digest_of(transfer);
    CHECK(base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()}) ==
          "TO9Ali41seK6tVXpgH5BTcf8NC4L+Aekr3aj0vhiJWA=");
}

TEST_CASE("A knows the digest that B computes of what it reads") {
    mail::Envelope rich = envelope("alice@a.test", {"bob@b.test", "\"a b\"@b.test"});
    rich.body = mail::Body::eight_bit_mime;
    rich.ret = mail::Ret::headers;
    rich.envid = "QQ+1=";
    rich.recipients[0].notify = {.success = true, .failure = true};
    rich.recipients[0].orcpt = "rfc822;rob+ert@b.test";
    rich.recipients[1].orcpt = "rfc822;" + std::string(600, 'x');  // too long: left out
    OutgoingMessage sent = message("019face33801a4c123b1612dd27", rich, "Subject: x\r\n\r\n\r\n");
    sent.dsn = GENERATE(false, true);
    SECTION("with everything") {}
    SECTION("with the null sender") {
        sent.envelope.from = std::nullopt;
    }
    SECTION("with an envid that is too long") {
        sent.envelope.envid = std::string(90, '=');
    }
    const auto hash = mail::sha256(sent.content.bytes());
    BlockCodec codec;
    const auto batch = read_payload(*encode_transfers(std::vector{sent}, {}, codec));
    CHECK(digest_of(std::get<IncomingBatch>(batch).transfers.at(0)) == digest_of(sent, hash));
    const auto opened = read_payload(*encode_open(sent, hash));
    CHECK(digest_of(std::get<IncomingOpen>(opened).transfer) == digest_of(sent, hash));
    const auto asked = read_payload(encode_status(sent.key, digest_of(sent, hash)), "get");
    CHECK(std::get<IncomingStatus>(asked).digest == digest_of(sent, hash));
}

TEST_CASE("What a lease counts for an envelope is what its <open/> needs, escapes and all") {
    auto rich = envelope("\"a&<>'\\\" b\"@a.test", {"bob@b.test", "\"'&&&&'\"@b.test"});
    rich.body = mail::Body::eight_bit_mime;
    rich.requiretls = rich.smtputf8 = true;
    rich.ret = mail::Ret::full;
    rich.envid = "Q+Q=1'&<>";
    rich.recipients[0].notify = {false, true, true, true};
    rich.recipients[0].orcpt = "rfc822;\"'&+= >\"@b.test";
    rich.recipients[1].n = 65535;
    rich.recipients[1].orcpt = "utf-8;j\xC3\xBCrgen@b.test";
    for (const auto& each : {rich, envelope("", {"bob@b.test"})}) {
        for (const bool dsn : {true, false}) {
            auto sent = message(kId, each, std::string(12345, 'x'));
            sent.dsn = dsn;
            std::size_t counted = size_of_open(each, dsn);
            for (const auto& recipient : each.recipients)
                counted += size_of_recipient(recipient, dsn);
            const std::size_t written = encode_open(sent, {})->size();
            CHECK(counted >= written);
            // Room is left for the longest key only, which is not known when it is counted.
            CHECK(counted - written < base::limits::kTransferId + base::limits::kDomain + 20);
        }
    }
}

TEST_CASE(
    "A batch has each key once, as many transfers as it may, and numbers that are different") {
    const auto plain = envelope("alice@a.test", {"bob@b.test"});
    const auto batch_of = [&](std::size_t count) {
        std::vector<OutgoingMessage> messages;
        for (std::size_t i = 0; i < count; ++i)
            messages.push_back(message(kId + fmt::format("{:04}", i), plain, "a: b\r\n"));
        return encode(messages);
    };
    CHECK(why(batch_of(base::limits::kBatch)).empty());
    CHECK(why(batch_of(base::limits::kBatch + 1)) == "too many transfers");
    CHECK(why(replaced(batch_of(2), kId + "0001", kId + "0000")) ==
          "two transfers have the same key");
    // Changed after it is written: what the program writes, the schema looks at.
    const auto two = encode(
        {message(kId, envelope("alice@a.test", {"bob@b.test", "carol@b.test"}), "a: b\r\n")});
    CHECK(why(replaced(two, "n='1'", "n='0'")) == "two recipients have the same number");
    CHECK(why(replaced(batch_of(1), "00:00Z", "00:00.5Z")) ==
          "expires is not a UTC time in whole seconds");
}
