// Content: shared bytes, their digest, and the lines that may be handed on.
#include "mail/content.hpp"

#include <random>

#include <catch2/catch.hpp>
#include <fmt/format.h>

using base::Errc;
using mail::check_lines;
using mail::Content;
using namespace std::string_view_literals;

namespace {

std::string hex(const mail::Sha256& digest) {
    std::string text;
    for (const auto byte : digest)
        text += fmt::format("{:02x}", byte);
    return text;
}

}  // namespace

TEST_CASE("the digest is SHA-256") {
    CHECK(hex(mail::sha256("")) ==
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(hex(mail::sha256("abc")) ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a digest in pieces is that of the whole") {
    std::mt19937 random(1);
    std::string bytes(100'000, '\0');
    for (char& c : bytes)
        c = static_cast<char>(random());
    for (int round = 0; round < 50; ++round) {
        mail::Sha256Stream stream;
        for (std::size_t at = 0; at < bytes.size();) {
            const auto piece = std::string_view(bytes).substr(at, random() % 10'000);
            stream.add(piece);
            at += piece.size();
        }
        REQUIRE(stream.finish() == mail::sha256(bytes));
    }
    CHECK(mail::Sha256Stream().finish() == mail::sha256(""));
}

TEST_CASE("a slice shares the bytes, and keeps to what there is") {
    auto whole = std::make_unique<Content>(std::string("0123456789"));
    const Content slice = whole->slice(2, 3);
    CHECK(slice.bytes().data() == whole->bytes().data() + 2);
    CHECK(whole->slice(8, 5).bytes() == "89");
    CHECK(whole->slice(11, 5).size() == 0);
    whole.reset();
    CHECK(slice.bytes() == "234");
}

TEST_CASE("copies of a content share its bytes, which outlive the first handle") {
    auto first = std::make_unique<Content>(std::string("short"));
    const Content second = *first;
    CHECK(first->bytes().data() == second.bytes().data());
    first.reset();
    CHECK(second.bytes() == "short");
    CHECK(second.size() == 5);
    CHECK(Content().size() == 0);
}

TEST_CASE("a content keeps the owner of its bytes") {
    auto owner = std::make_shared<std::string>("0123456789");
    const std::weak_ptr<std::string> watch = owner;
    {
        const std::string_view bytes = std::string_view(*owner).substr(2, 3);
        const Content content(std::move(owner), bytes);
        CHECK(content.bytes() == "234");
        CHECK_FALSE(watch.expired());
    }
    CHECK(watch.expired());
}

// RFC 5321 2.3.8.
TEST_CASE("only CRLF lines without a NUL may be handed on") {
    for (const auto good :
         {""sv, "\r\n"sv, "a\r\n"sv, "a\r\nb\r\n\r\n"sv, "\xFF\x01\r\n"sv, ".\r\n"sv}) {
        CAPTURE(good);
        CHECK(check_lines(good).has_value());
    }
    const struct {
        std::string_view bytes;
        const char* why;
    } table[] = {
        {"a", "does not end with CRLF"},
        {"a\r\nb", "does not end with CRLF"},
        {"a\n", "bare LF"},
        {"\n"sv, "bare LF"},
        {"a\nb\r\n", "bare LF"},
        {"a\r\n\n", "bare LF"},
        {"a\r\nb\nc", "bare LF"},
        {"a\r", "bare CR"},
        {"a\rb\r\n", "bare CR"},
        {"a\r\r\n", "bare CR"},
        {"\r\r\n"sv, "bare CR"},
        {"a\r\n.\n.\r\n", "bare LF"},
        {"a\0b\r\n"sv, "NUL"},
        {"a\r\n\0"sv, "NUL"},
    };
    for (const auto& row : table) {
        CAPTURE(row.bytes);
        const auto checked = check_lines(row.bytes);
        REQUIRE(checked.has_error());
        CHECK(checked.error().code == Errc::protocol);
        CHECK_THAT(checked.error().text, Catch::Contains(row.why));
    }
}

TEST_CASE("a fault is found wherever it stands") {
    std::string good;
    for (int i = 0; i < 20; ++i)
        good += std::string(static_cast<std::size_t>(i), 'x') + "\r\n";
    REQUIRE(check_lines(good).has_value());
    for (std::size_t at = 0; at <= good.size(); ++at) {
        for (const char c : {'\r', '\n', '\0'}) {
            std::string bad = good;
            bad.insert(at, 1, c);
            REQUIRE(check_lines(bad).has_error());
        }
        // Cut in two, a message is good exactly where a line ends.
        const bool whole = at == 0 || good.substr(0, at).ends_with("\r\n");
        REQUIRE(check_lines(std::string_view(good).substr(0, at)).has_value() == whole);
    }
}

TEST_CASE("lines that come in pieces get the verdict that they get in one") {
    std::mt19937 random(1);
    const std::string_view pool[] = {"a"sv,  "text"sv, "\r\n"sv, "\r\n"sv, "\r\n"sv,
                                     "\r"sv, "\n"sv,   "\0"sv,   "."sv};
    int good = 0;
    for (int round = 0; round < 20'000; ++round) {
        // Faults are rare, so that both verdicts are.
        std::string text;
        const auto words = random() % 12;
        const auto most = random() % 4 == 0 ? std::size(pool) : 5;
        for (std::size_t i = 0; i < words; ++i)
            text += pool[random() % most];
        if (random() % 2 == 0) text += "\r\n";
        mail::LineCheck check;
        for (std::size_t at = 0; at < text.size();) {
            const auto piece = std::string_view(text).substr(at, random() % 4);
            check.add(piece);
            at += piece.size();
        }
        CAPTURE(text);
        const bool whole = check_lines(text).has_value();
        REQUIRE(check.finish().has_value() == whole);
        good += int(whole);
    }
    CHECK(good > 5000);
    CHECK(good < 15'000);
}
