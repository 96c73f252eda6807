// Sql: a statement, which is a literal, with names in the place of the numbers that states, lanes
// and classes are stored as: `"... WHERE state IN ({queued}, {deferred})"_sql`.
//
// Made by the compiler: a name that is not known, or a statement that is no literal, does not
// compile.
//
// Tested by tests/unit/queue/sqlite/store/sql_test.cpp.
#pragma once

#include "queue/destination.hpp"
#include "queue/mail_class.hpp"
#include "queue/peer_class.hpp"
#include "queue/ports.hpp"
#include "queue/state.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace queue {

namespace sql {

struct Name {
    std::string_view name;
    int number;
};
/// Each is one digit.
inline constexpr std::array kNames{
    Name{"queued", static_cast<int>(State::queued)},
    Name{"leased", static_cast<int>(State::leased)},
    Name{"deferred", static_cast<int>(State::deferred)},
    Name{"held", static_cast<int>(State::held)},
    Name{"delivered", static_cast<int>(State::delivered)},
    Name{"relayed", static_cast<int>(State::relayed)},
    Name{"bounced", static_cast<int>(State::bounced)},
    Name{"expired", static_cast<int>(State::expired)},
    Name{"discarded", static_cast<int>(State::discarded)},
    Name{"lane_xmpp", static_cast<int>(Lane::xmpp)},
    Name{"lane_local", static_cast<int>(Lane::local)},
    Name{"lane_relay", static_cast<int>(Lane::relay)},
    Name{"lane_report", static_cast<int>(Lane::report)},
    Name{"interactive", static_cast<int>(MailClass::interactive)},
    Name{"bulk", static_cast<int>(MailClass::bulk)},
    Name{"large", static_cast<int>(MailClass::large)},
    Name{"class_blocked", static_cast<int>(PeerClass::blocked)},
    Name{"class_trusted", static_cast<int>(PeerClass::trusted)},
    Name{"class_limited", static_cast<int>(PeerClass::limited)},
    Name{"from_smtp", static_cast<int>(Origin::Kind::smtp)},
    Name{"from_xmpp", static_cast<int>(Origin::Kind::xmpp)},
    Name{"from_us", static_cast<int>(Origin::Kind::internal)},
};

constexpr char digit_of(std::string_view name) {
    for (const Name& each : kNames) {
        if (each.name == name && each.number >= 0 && each.number <= 9)
            return static_cast<char>('0' + each.number);
    }
    throw "no such name";
}

/// A literal as a template's argument.
template <std::size_t N>
struct Literal {
    char chars[N]{};
    // NOLINTNEXTLINE(google-explicit-constructor): it stands for the literal
    constexpr Literal(const char (&text)[N]) {
        for (std::size_t i = 0; i < N; ++i)
            chars[i] = text[i];
    }
    constexpr std::string_view text() const { return {chars, N - 1}; }
};

/// Calls `put` with each character that is to be there. How many they are.
template <class Put>
constexpr std::size_t expand(std::string_view text, Put put) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '{') {
            put(size++, text[i]);
            continue;
        }
        std::size_t end = i;  // not find(): under UBSan, g++ 12 can't do that while it compiles
        while (end < text.size() && text[end] != '}')
            ++end;
        if (end == text.size()) throw "a { without its }";
        put(size++, digit_of(text.substr(i + 1, end - i - 1)));
        i = end;
    }
    return size;
}

template <Literal L>
constexpr auto expanded() {
    constexpr std::size_t kSize = expand(L.text(), [](std::size_t, char) {});
    std::array<char, kSize + 1> chars{};
    expand(L.text(), [&chars](std::size_t at, char each) { chars[at] = each; });
    return chars;
}

template <Literal L>
inline constexpr auto kExpanded = expanded<L>();

}  // namespace sql

class Sql {
  public:
    /// `statement` is static: only the compiler makes one.
    template <std::size_t N>
    explicit consteval Sql(const std::array<char, N>& statement) : text_(statement.data()) {}
    /// Terminated by a zero, and there as long as the program runs.
    constexpr const char* text() const { return text_; }

  private:
    const char* text_;
};

template <sql::Literal L>
consteval Sql operator""_sql() {
    return Sql(sql::kExpanded<L>);
}

}  // namespace queue
