#include "component/stream/xml_reader.hpp"

#include "component/stream/stanza.hpp"
#include "component/xml/namespaces.hpp"
#include "component/xml/xml_writer.hpp"

using namespace component;

namespace {

const std::string kOpening =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
    "xmlns:stream='http://etherx.jabber.org/streams' from='mail.a.test' id='s1'>";

/// The error of a stream that starts well and then says `text`; empty if there is none.
std::string error_of(const std::string& text, XmlReader::Limits limits = {}) {
    XmlReader reader(limits);
    REQUIRE(reader.parse(kOpening));
    const auto parsed = reader.parse(text);
    return parsed ? std::string() : parsed.error().text;
}

/// Why the stanza `text` is refused while the stream goes on; empty if it is not.
std::string refusal_of(const std::string& text, XmlReader::Limits limits) {
    XmlReader reader(limits);
    REQUIRE(reader.parse(kOpening));
    REQUIRE(reader.parse(text + "<iq id='next'/>"));
    const auto events = reader.take_events();
    REQUIRE(events.size() == 3);
    CHECK(std::get<TagStanza>(events[2]).tag->findAttribute("id") == "next");
    const auto* refused = std::get_if<RefusedStanza>(&events[1]);
    if (refused == nullptr) return {};
    CHECK(refused->name == "iq");
    CHECK(refused->head.id == "1");
    return refused->why;
}

}  // namespace

// RFC 6120 4.2, RFC 6120 4.4.
TEST_CASE("The server opens a stream, sends stanzas and closes, split at every byte") {
    const std::string all = kOpening +
                            "<handshake/> <iq type='get' id='1' from='b.test' to='mail.a.test'>"
                            "<ping xmlns='urn:xmpp:ping'/></iq>\n"
                            "<message from='x@b.test' to='mail.a.test'><body>J\xC3\xBCrgen "
                            "&lt;&amp;&#62;</body></message>"
                            "</stream:stream>";
    for (std::size_t at = 0; at <= all.size(); ++at) {
        XmlReader reader;
        REQUIRE(reader.parse(std::string_view(all).substr(0, at)));
        auto events = reader.take_events();
        REQUIRE(reader.parse(std::string_view(all).substr(at)));
        for (auto& event : reader.take_events())
            events.push_back(std::move(event));
        REQUIRE(events.size() == 5);
        CHECK(std::get<StreamOpened>(events[0]).id == "s1");
        CHECK(std::get<TagStanza>(events[1]).tag->name() == "handshake");
        const auto& ping = *std::get<TagStanza>(events[2]).tag;
        CHECK(head_of(ping).from == "b.test");
        CHECK(find_child(ping, "ping", ns::kPing) != nullptr);
        const auto& message = *std::get<TagStanza>(events[3]).tag;
        CHECK(find_child(message, "body", "")->cdata() == "J\xC3\xBCrgen <&>");
        CHECK(std::holds_alternative<StreamClosed>(events[4]));
    }
}

TEST_CASE("Text directly in a stanza is left out, however it is cut") {
    XmlReader reader;
    REQUIRE(reader.parse(kOpening));
    for (const std::string_view piece : {"<i> '</i>", "<i>", " ", "'", "</i>"})
        REQUIRE(reader.parse(piece));
    const auto events = reader.take_events();
    REQUIRE(events.size() == 3);
    CHECK(std::get<TagStanza>(events[1]).tag->xml() == "<i/>");
    CHECK(std::get<TagStanza>(events[2]).tag->xml() == "<i/>");
}

TEST_CASE("An IQ has one payload, and a second one is no mail") {
    const std::string payload = std::string("<commit xmlns='") + std::string(ns::kMailTransfer) +
                                "' id='018f00000001' domain='b.test'/>";
    const auto read = [](const std::string& payloads) {
        XmlReader reader;
        REQUIRE(reader.parse(kOpening));
        REQUIRE(reader.parse("<iq type='set' id='1' from='mail.b.test' to='mail.a.test'>" +
                             payloads + "</iq>"));
        auto events = reader.take_events();
        REQUIRE(events.size() == 2);
        return std::get<TransferStanza>(std::move(events[1]));
    };
    CHECK(std::holds_alternative<IncomingCommit>(read(payload).payload));
    for (const std::string& second :
         {payload, std::string("<ping xmlns='urn:xmpp:ping'/>"), std::string("<x/>")}) {
        const auto stanza = read(payload + second);
        REQUIRE(std::holds_alternative<Malformed>(stanza.payload));
        CHECK(stanza.head.id == "1");
    }
}

// RFC 6120 11.1, RFC 6120 11.3, RFC 6120 11.6.
TEST_CASE("What RFC 6120 forbids ends the stream") {
    CHECK(error_of("<!-- hello --><iq/>") == "the stream has a comment");
    CHECK(error_of("<?php evil ?>") == "the stream has a processing instruction");
    CHECK(error_of("<iq><![CDATA[fine]]></iq>").empty());
    CHECK(error_of("text") == "the stream has text between stanzas");
    CHECK_FALSE(error_of("<iq></message>").empty());
    CHECK_FALSE(error_of("<iq a='\xFF'/>").empty());
    CHECK_FALSE(error_of("<iq>&unknown;</iq>").empty());
    XmlReader reader;
    const auto parsed = reader.parse(
        "<!DOCTYPE x [<!ENTITY e 'boom'>]><stream:stream "
        "xmlns:stream='http://etherx.jabber.org/streams'>");
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().text == "the stream has a document type");
    CHECK(reader.parse("<more/>").error().text == "the stream has a document type");
    XmlReader other;
    CHECK_FALSE(other.parse("<html>"));
}

TEST_CASE("Every limit is kept, before anything is built") {
    XmlReader::Limits limits;
    limits.stanza = 1000;
    limits.depth = 5;
    limits.attributes = 3;
    limits.elements = 10;
    // Servers pass such stanzas from any stranger, so that they must not cost the stream.
    CHECK(refusal_of("<iq id='1'><a><b><c/></b></a></iq>", limits).empty());
    CHECK(refusal_of("<iq id='1'><a><b><c><d><e/>x</d></c></b></a><z/></iq>", limits) ==
          "elements are nested too deeply");
    CHECK(refusal_of("<iq id='1' b='2' c='3'/>", limits).empty());
    CHECK(refusal_of("<iq id='1' b='2' c='3' d='4'><a/></iq>", limits) == "too many attributes");
    CHECK(refusal_of("<iq id='1'><a a='1' b='2' c='3' d='4'/></iq>", limits) ==
          "too many attributes");
    CHECK(refusal_of("<iq id='1'><a/><a/><a/><a/><a/><a/><a/><a/><a/></iq>", limits).empty());
    CHECK(refusal_of("<iq id='1'><a/><a/><a/><a/><a/><a/><a/><a/><a/><a/><a><b/></a></iq>",
                     limits) == "a stanza has too many elements");
    CHECK(refusal_of("<iq type='set' id='1'><transfers xmlns='urn:xmpp:mail-transfer:0'>"
                     "<a><b><c/></b></a></transfers></iq>",
                     limits) == "elements are nested too deeply");
    CHECK(error_of("<iq><a>" + std::string(900, 'x') + "</a></iq>", limits).empty());
    CHECK(refusal_of("<iq id='1'><a>" + std::string(1000, 'x') + "</a><b><c/></b></iq>", limits) ==
          "a stanza is too large");
    CHECK(refusal_of("<iq id='1'><a b='" + std::string(1000, 'x') + "'><c/></a></iq>", limits) ==
          "a stanza is too large");
    CHECK(refusal_of("<iq id='1' a='" + std::string(1000, 'x') + "'/>", limits) ==
          "a stanza is too large");
    CHECK(refusal_of("<iq type='set' id='1'><chunk xmlns='urn:xmpp:mail-transfer:0'>" +
                         std::string(1000, 'x') + "</chunk></iq>",
                     limits) == "a stanza is too large");
    // Many stanzas of any length are no large one; nor is white space between them.
    std::string many;
    for (int i = 0; i < 100; ++i)
        many += "<iq id='1'/>          ";
    CHECK(error_of(many, limits).empty());
}

TEST_CASE("What servers make of a stanza within their limits is skipped, however it is cut") {
    const auto times = [](std::size_t count, std::string_view text) {
        std::string all;
        for (std::size_t i = 0; i < count; ++i)
            all += text;
        return all;
    };
    const auto names = [](std::size_t count) {
        std::string all;
        for (std::size_t i = 0; i < count; ++i) {
            const std::string n = std::to_string(i);
            all +=
                " xmlns:ns" + n + "='urn:" + std::string(1000, 'n') + "' ns" + n + ":a" + n + "=''";
        }
        return all;
    };
    constexpr std::size_t kMost = base::limits::kStanza;
    const std::string_view quote = "&quot;";
    const std::string id = "<iq type='get' id='1'><a";
    const std::string huge[] = {
        id + ">" + times(kMost, quote) + "</a></iq>",
        id + " b='" + times(kMost, quote) + "'/></iq>",
        id + "/>" + times(kMost / 100, "<b c='" + times(94, quote) + "'/>") + "</iq>",
        id + ">" + times(kMost / 3 - 5, "<a>") + times(kMost / 3 - 5, "</a>") + "</a></iq>",
        // A prefix stands for a long namespace, which is written anew for each attribute.
        id + "><b" + names(15'000) + "/><c" + names(2000) + "></c></a></iq>",
        "<iq type='get' id='1' " + names(15'000) + "/>",
    };
    for (const std::string& stanza : huge) {
        for (const std::size_t cut : {stanza.size(), std::size_t(64u << 10)}) {
            XmlReader reader;
            REQUIRE(reader.parse(kOpening));
            for (std::size_t at = 0; at < stanza.size(); at += cut)
                REQUIRE(reader.parse(std::string_view(stanza).substr(at, cut)));
            REQUIRE(reader.parse("<iq id='next'/>"));
            const auto events = reader.take_events();
            REQUIRE(events.size() == 3);
            const auto& refused = std::get<RefusedStanza>(events[1]);
            CHECK(refused.head.id == "1");
            CHECK(refused.head.type == "get");
            CHECK(std::get<TagStanza>(events[2]).tag->findAttribute("id") == "next");
        }
    }
}

TEST_CASE("What is left out of one stanza does not count in the next") {
    XmlReader::Limits limits;
    limits.stanza = 100;
    limits.tag = 200;
    limits.skipped = 5000;
    XmlReader reader(limits);
    REQUIRE(reader.parse(kOpening));
    for (int i = 0; i < 10; ++i) {
        const std::string x(3000, 'x');
        REQUIRE(reader.parse("<iq id='1' b='" + x + "'/><iq id='2'><a/></iq>"));
        REQUIRE(reader.parse("<iq id='1'><a b='" + x + "'><c/></a></iq><iq id='2'><a/></iq>"));
    }
    auto events = reader.take_events();
    REQUIRE(events.size() == 41);
    for (std::size_t i = 1; i < events.size(); i += 2) {
        CHECK(std::get<RefusedStanza>(events[i]).head.id == "1");
        CHECK(std::get<TagStanza>(events[i + 1]).tag->findAttribute("id") == "2");
    }
}

TEST_CASE("What cannot be skipped in bounded memory, or has no end, fails the stream") {
    XmlReader::Limits limits;
    limits.stanza = 100;
    limits.skipped = 5000;
    limits.tag = 500;
    limits.depth = 5;
    limits.skipped_depth = 50;
    CHECK(error_of("<iq><a>" + std::string(4900, 'x') + "</a></iq>", limits).empty());
    CHECK(error_of("<iq><a>" + std::string(5000, 'x') + "</a></iq>", limits) ==
          "a stanza is far too large");
    CHECK(error_of("<iq><a>" + std::string(6000, 'x'), limits) == "a stanza is far too large");
    // Of a tag the rest is left out, which costs nothing; but an end it must have.
    CHECK(refusal_of("<iq id='1' a='" + std::string(4900, 'x') + "'/>", limits) ==
          "a stanza is too large");
    CHECK(error_of("<iq a='" + std::string(6000, 'x'), limits) == "a stanza is far too large");
    XmlReader reader(limits);
    CHECK(reader.parse("<stream:stream a='" + std::string(600, 'x') + "'>").error().text ==
          "a tag is too large");
    XmlReader unfinished(limits);
    CHECK(unfinished.parse("<stream:stream a='" + std::string(600, 'x')).error().text ==
          "a tag is too large");
    std::string deep = "<iq>";
    for (int i = 0; i < 60; ++i)
        deep += "<a>";
    CHECK(error_of(deep, limits) == "elements are nested far too deeply");
}

TEST_CASE("A tag of many reads is the same as in one") {
    const std::string value(300'000, 'x');
    const std::string stanza = "<message a='" + value + "'><b>&gt;</b></message>";
    XmlReader reader;
    REQUIRE(reader.parse(kOpening));
    for (std::size_t at = 0; at < stanza.size(); at += 10'000)
        REQUIRE(reader.parse(std::string_view(stanza).substr(at, 10'000)));
    const auto events = reader.take_events();
    REQUIRE(events.size() == 2);
    const auto& tag = *std::get<TagStanza>(events[1]).tag;
    CHECK(tag.findAttribute("a") == value);
    CHECK(find_child(tag, "b", "")->cdata() == ">");
}

TEST_CASE("An echo in an error stanza is not built") {
    XmlReader reader;
    REQUIRE(reader.parse(kOpening));
    REQUIRE(reader.parse(
        "<iq type='error' id='1' from='b' to='a'><transfers "
        "xmlns='urn:xmpp:mail-transfer:0'><x/></transfers>"
        "<error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        "<busy xmlns='urn:xmpp:mail-transfer:0' retry-after='30'/></error></iq>"));
    auto events = reader.take_events();
    REQUIRE(events.size() == 2);
    const auto& iq = *std::get<TagStanza>(events[1]).tag;
    CHECK(iq.children().size() == 1);
    const auto error = read_error(iq);
    CHECK(error.condition == "resource-constraint");
    CHECK(error.ours == "busy");
    CHECK(error.retry_after == std::chrono::seconds(30));
}

TEST_CASE("The writer escapes, and refuses what XML forbids") {
    XmlWriter xml;
    xml.open("a").attribute("b", "<'\"&>\t").text("x\ny");
    CHECK(*xml.finish() == "<a b='&lt;&apos;&quot;&amp;&gt;&#9;'>x&#10;y</a>");
    for (const std::string& bad : {std::string("\x01"), std::string("\0", 1), std::string("\xFF"),
                                   std::string("\xEF\xBF\xBF")}) {
        XmlWriter refused;
        refused.open("a").text(bad);
        CHECK_FALSE(refused.finish());
    }
}
