// Mailbox and ReversePath: addresses of RFC 5321 4.1.2 and RFC 6531 3.3, kept verbatim, as only
// their own host knows what a local part means (RFC 5321 2.4).
#pragma once

#include "base/result.hpp"
#include "mail/domain.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace mail {

/// `local-part@domain`, exactly as it was written; immutable value.
class Mailbox {
  public:
    /// Dot-string or quoted-string local part, ASCII or UTF-8; domain or address literal. Never
    /// accepts control characters, white space outside of quotes, or source routes. Errc::syntax,
    /// Errc::limit.
    static base::Result<Mailbox> parse(std::string_view text);
    /// What mail servers pass on, too, though it is no address by the grammar: a domain that
    /// Domain::parse_loosely() takes; dots anywhere in the local part; any octets within its quotes
    /// but NUL, CR and LF; up to kPath octets. UTF-8 in any case. Errc::syntax, Errc::limit.
    static base::Result<Mailbox> parse_loosely(std::string_view text);
    /// Octets: what a line of Postfix's has room for (line_length_limit).
    /// RFC 5321 4.5.3.1.3 asks for 256.
    static constexpr std::size_t kPath = 2000;

    const std::string& text() const { return text_; }
    std::string_view local_part() const { return std::string_view(text_).substr(0, at_); }
    /// As it was written; compare domain() instead.
    std::string_view domain_text() const { return std::string_view(text_).substr(at_ + 1); }
    const Domain& domain() const { return domain_; }
    /// parse() takes it. What it doesn't can go by SMTP only: XMPP, and those who show addresses,
    /// rely on the grammar.
    bool keeps_grammar() const { return keeps_grammar_; }
    /// True if any octet is not ASCII, so that every hop has to speak SMTPUTF8 (RFC 6531 3.2).
    bool needs_smtputf8() const;
    /// RFC 5321 4.5.1: compared without regard to case.
    bool is_postmaster() const;

    bool operator==(const Mailbox& other) const { return text_ == other.text_; }

  private:
    Mailbox(std::string text, std::size_t at, Domain domain, bool keeps_grammar)
        : text_(std::move(text)),
          at_(at),
          domain_(std::move(domain)),
          keeps_grammar_(keeps_grammar) {}
    std::string text_;
    std::size_t at_;
    Domain domain_;
    bool keeps_grammar_;
};

/// MAIL FROM: nothing is the null reverse-path `<>` (RFC 5321 4.5.5).
using ReversePath = std::optional<Mailbox>;

/// The text between the angle brackets: empty for the null reverse-path.
std::string_view to_text(const ReversePath& path);

}  // namespace mail
