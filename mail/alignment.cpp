#include "mail/alignment.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "mail/address.hpp"
#include "mail/header_scanner.hpp"

#include <string>

namespace mail {
namespace {

/// A From value without its comments, in which quoted strings are opaque.
class AuthorReader {
  public:
    /// The one address of `value`; nothing for a list, a group, or what can't be read.
    std::optional<std::string> read(std::string_view value) {
        for (std::size_t i = 0; i < value.size(); ++i) {
            const char c = value[i];
            if (c == '\\' && (comment_ > 0 || quoted_)) {
                if (comment_ == 0) text_ += value.substr(i, 2);
                ++i;
            } else if (comment_ > 0) {
                comment_ += c == '(' ? 1 : c == ')' ? -1 : 0;
            } else if (quoted_ || c == '"') {
                if (c == '"') quoted_ = !quoted_;
                text_ += c;
            } else if (!take(c)) {
                return std::nullopt;
            }
        }
        if (quoted_ || comment_ > 0 || (open_ && !close_)) return std::nullopt;
        if (!open_) return std::string(base::trim(text_));
        if (!base::trim(std::string_view(text_).substr(*close_ + 1)).empty()) return std::nullopt;
        return text_.substr(*open_ + 1, *close_ - *open_ - 1);
    }

  private:
    /// A character outside of comments and quoted strings; false if there can't be one address.
    bool take(char c) {
        if (c == '(') {
            ++comment_;
            return true;
        }
        if (c == ',' || c == ';' || c == ':') return false;
        if (c == '<') {
            if (open_) return false;
            open_ = text_.size();
        }
        if (c == '>') {
            if (!open_ || close_) return false;
            close_ = text_.size();
        }
        if (c != '\r' && c != '\n') text_ += c == '\t' ? ' ' : c;
        return true;
    }

    std::string text_;
    std::optional<std::size_t> open_;
    std::optional<std::size_t> close_;
    int comment_ = 0;
    bool quoted_ = false;
};

}  // namespace

const char* to_text(Alignment alignment) {
    switch (alignment) {
        case Alignment::none:
            return "no";
        case Alignment::relaxed:
            return "relaxed";
        case Alignment::strict:
            return "strict";
    }
    return "no";
}

Alignment alignment(const DomainOwner& authenticated, const DomainOwner& shown, bool only_strict) {
    if (authenticated.domain == shown.domain) return Alignment::strict;
    if (only_strict || !shown.is_of_same_organisation(authenticated)) return Alignment::none;
    return Alignment::relaxed;
}

std::optional<Domain> author_domain(std::string_view content) {
    std::optional<std::string_view> value;
    HeaderScanner scanner(content);
    while (const auto field = scanner.next()) {
        if (!base::iequals(field->name, "From")) continue;
        if (value) return std::nullopt;
        value = field->value;
    }
    if (!value || value->size() > base::limits::kMailbox * 2) return std::nullopt;
    const auto address = AuthorReader().read(*value);
    if (!address) return std::nullopt;
    const auto mailbox = Mailbox::parse(*address);
    if (!mailbox || mailbox->domain().is_address_literal()) return std::nullopt;
    return mailbox->domain();
}

}  // namespace mail
