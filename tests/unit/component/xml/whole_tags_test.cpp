// WholeTags: wherever the reads are cut, the same passes.
#include "component/xml/whole_tags.hpp"

#include <catch2/catch.hpp>

using component::WholeTags;

namespace {

/// All that passes of `text` in reads of `size` bytes; each tag that is cut, in brackets.
std::string passed(std::string_view text, std::size_t size, std::size_t longest = 30) {
    WholeTags tags(longest);
    std::string all;
    for (std::size_t at = 0; at < text.size(); at += size) {
        for (const auto& piece : tags.take(text.substr(at, size)))
            all += piece.left_out > 0 ? '[' + piece.bytes + ']' : piece.bytes;
    }
    return all;
}

void check(std::string_view text, std::string_view expected) {
    for (std::size_t size = 1; size <= text.size() + 1; ++size) {
        CAPTURE(text, size);
        REQUIRE(passed(text, size) == expected);
    }
}

}  // namespace

TEST_CASE("a tag passes when it is complete, and all else as it comes") {
    for (const char* whole : {"<?xml version='1.0'?><a b='1' c=\"2\">text &lt; more</a>",
                              "<a b='>' c=\"'>\"/>", "<![CDATA[a <b> ' c]] ]>]]]]><a/>",
                              "<!DOCTYPE x [<!ENTITY e 'b'>]>", "<![CDAT", "text", "< >", "<>"}) {
        const std::string text(whole);
        if (text.starts_with("<![CDAT") && text.size() < 9) {
            check(text, "");  // it may become one
        } else {
            check(text, text);
        }
    }
    check("text<a b='1'", "text");
    check("<a b='1'>text<", "<a b='1'>text");
    check("<a b='>", "");
    // A CDATA section ends with two brackets and no fewer, and until then nothing in it is a tag.
    check("<![CDATA[a]><b", "<![CDATA[a]><b");
    check("<![CDATA[a]]><b", "<![CDATA[a]]>");
    check("<![CDATA[a]]]]]><b", "<![CDATA[a]]]]]>");
    check("<![CDATA[a]] ><b", "<![CDATA[a]] ><b");
}

TEST_CASE("nothing is counted twice, or not at all") {
    for (std::size_t length = 0; length < 60; ++length) {
        const std::string x(length, 'x');
        for (const std::string& text : {"<a b='" + x + "'/>", "<a b='1' c='" + x + "'>",
                                        "<a" + x + "/>", "<a b='1'" + x + ">"}) {
            for (std::size_t size = 1; size <= text.size(); ++size) {
                WholeTags tags(30);
                std::size_t bytes = 0;
                for (std::size_t at = 0; at < text.size(); at += size) {
                    for (const auto& piece : tags.take(std::string_view(text).substr(at, size)))
                        bytes += piece.bytes.size() + piece.left_out;
                }
                CAPTURE(text, size);
                REQUIRE(bytes == text.size());
            }
        }
    }
}

TEST_CASE("a tag that is too long keeps its first whole attributes") {
    check("<a b='1' c='23456789012345678901234567890'>x</a>", "[<a b='1'>]x</a>");
    check("<a b='1' c='23456789012345678901234567890'/>x", "[<a b='1'/>]x");
    check("<a b='1' c='2345678901>3456789/1234567890' d='/' />x", "[<a b='1'/>]x");
    check("<a c='23456789012345678901234567890'  />x<a/>", "[<a/>]x<a/>");
    check("<a b='1' c=\"2'45678901234567890123456789'\" d='1'></a>", "[<a b='1'>]</a>");
    check("<a b='1' c23456789012345678901234567890/>", "[<a b='1'/>]");
    check("<a234567890123456789012345678901234567890/>", "[<a2345678901234567890123456789/>]");
    check("<a b='1'                                />", "[<a b='1'/>]");
    check("<a b='2345678901234567890123'>", "<a b='2345678901234567890123'>");
    check("<a b='23456789012345678901234'/>", "<a b='23456789012345678901234'/>");
}
