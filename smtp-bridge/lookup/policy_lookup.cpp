#include "smtp-bridge/lookup/policy_lookup.hpp"

#include "base/limits.hpp"
#include "mail/address.hpp"

namespace smtp_bridge {
namespace {

constexpr std::string_view kAnswer = "action=DUNNO\n\n";
constexpr std::string_view kRecipient = "recipient=";

}  // namespace

base::Result<std::size_t> PolicyLookup::answer(std::string_view input, std::string& output,
                                               const OnMiss& on_miss) const {
    std::optional<mail::Domain> asked;
    std::size_t at = 0;
    for (;;) {
        const auto newline = input.find('\n', at);
        if (newline == std::string_view::npos) {
            if (input.size() > base::limits::kNetstring)
                return base::fail(base::Errc::limit, "the request is too long");
            return std::size_t{0};
        }
        const auto line = input.substr(at, newline - at);
        at = newline + 1;
        if (line.empty()) break;
        if (line.find('=') == std::string_view::npos)
            return base::fail(base::Errc::syntax, "a line that is not name=value");
        if (!line.starts_with(kRecipient)) continue;
        const auto recipient = mail::Mailbox::parse(line.substr(kRecipient.size()));
        if (recipient) asked = recipient->domain();
    }
    const bool concerns_us = asked && !asked->is_address_literal() && !router_.serves(*asked);
    if (concerns_us && table_.find(*asked) == queue::Route::unknown) on_miss(*asked);
    output += kAnswer;
    return at;
}

}  // namespace smtp_bridge
