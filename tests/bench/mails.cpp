#include "bench/mails.hpp"

#include <cmath>
#include <random>
#include <vector>

namespace bench {
namespace {

constexpr std::size_t kLine = 72;
constexpr std::size_t kWords = 20'000;  // of the vocabulary: what a language has in its newspapers

using Random = std::mt19937_64;

/// Words of a made-up language: letters as frequent as in English.
const std::vector<std::string>& vocabulary() {
    static const std::vector<std::string> words = [] {
        static constexpr std::string_view kLetters =
            "eeeeeeeeeeeetttttttttaaaaaaaaooooooooiiiiiiinnnnnnnsssssshhhhhhrrrrrrddddlllluuucccmmm"
            "wwff"
            "ggyyppbbvk";
        Random random(20261128);
        std::vector<std::string> made;
        for (std::size_t i = 0; i < kWords; ++i) {
            const std::size_t length = 2 + random() % 3 + (i > 50 ? random() % 7 : 0);
            std::string word;
            for (std::size_t j = 0; j < length; ++j)
                word += kLetters[random() % kLetters.size()];
            made.push_back(word);
        }
        return made;
    }();
    return words;
}

/// Zipf's law, nearly: the rank is exponential in a uniform number.
const std::string& next_word(Random& random) {
    const auto& words = vocabulary();
    const double uniform = static_cast<double>(random() >> 11) * 0x1p-53;
    const auto rank =
        static_cast<std::size_t>(std::pow(static_cast<double>(words.size()), uniform)) - 1;
    return words[rank % words.size()];
}

void add_text(std::string& out, std::size_t size, Random& random) {
    std::size_t line = 0;
    while (out.size() < size) {
        const std::string& word = next_word(random);
        if (line + word.size() >= kLine) {
            out += "\r\n";
            line = 0;
        }
        out += word;
        out += random() % 12 == 0 ? ". " : " ";
        line += word.size() + 2;
    }
    out += "\r\n";
}

void add_html(std::string& out, std::size_t size, Random& random) {
    out +=
        "<html><head><style>td { padding: 4px 8px; font-family: sans-serif "
        "}</style></head><body>\r\n";
    while (out.size() < size) {
        out +=
            "<table width=\"600\" cellpadding=\"0\" cellspacing=\"0\"><tr><td "
            "class=\"item\">\r\n<a href=\"https://"
            "www.example.org/";
        out += next_word(random) + "/" + std::to_string(random() % 1'000'000) + "\">";
        out += next_word(random) + " " + next_word(random) + "</a></td><td class=\"price\">";
        out += std::to_string(random() % 10'000) +
               "</td></tr></table>\r\n<p style=\"color: #333333\">";
        for (int i = 0; i < 9; ++i)
            out += next_word(random) + " ";
        out += "</p>\r\n";
    }
    out += "</body></html>\r\n";
}

void add_base64(std::string& out, std::size_t size, Random& random) {
    static constexpr char kAlphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char line[78];
    line[76] = '\r';
    line[77] = '\n';
    while (out.size() < size) {
        for (std::size_t i = 0; i < 76;) {
            std::uint64_t bits = random();
            for (int j = 0; j < 10 && i < 76; ++j, bits >>= 6)
                line[i++] = kAlphabet[bits & 63];
        }
        out.append(line, sizeof line);
    }
}

}  // namespace

std::string make_mail(Kind kind, std::size_t size, std::uint64_t number, const std::string& from,
                      const std::string& to) {
    Random random(number * 2654435761u + static_cast<std::uint64_t>(kind));
    std::string out;
    out.reserve(size + 4096);
    out += "X-Bench: " + std::to_string(number) + "\r\nFrom: Somebody <" + from + ">\r\nTo: <" +
           to + ">\r\nSubject: " + next_word(random) + " " + next_word(random) + " " +
           next_word(random) + "\r\nDate: Fri, 27 Nov 2026 12:00:00 +0000\r\nMessage-ID: <" +
           std::to_string(random()) + "." + std::to_string(number) +
           "@bench.test>\r\nMIME-Version: 1.0\r\n";
    if (kind == Kind::base64) {
        out += "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        add_base64(out, size, random);
    } else if (kind == Kind::html) {
        out += "Content-Type: text/html; charset=utf-8\r\n\r\n";
        add_html(out, size, random);
    } else {
        out += "Content-Type: text/plain; charset=utf-8\r\n\r\n";
        add_text(out, size, random);
    }
    return out;
}

}  // namespace bench
