#include "smtp-bridge/policy_lookup.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "mail/address.hpp"

namespace smtp_bridge {
namespace {

constexpr std::string_view kAnswer = "action=DUNNO\n\n";
constexpr std::string_view kEnd = "\n\n";
constexpr std::string_view kRecipient = "recipient=";

}  // namespace

base::Result<std::size_t> PolicyLookup::answer(std::string_view input, std::string& output,
                                               const OnMiss& on_miss) const {
    const auto end = input.find(kEnd);
    if (end == std::string_view::npos) {
        if (input.size() > base::limits::kNetstring)
            return base::fail(base::Errc::limit, "the request is too long");
        return std::size_t{0};
    }
    for (const auto line : base::split(input.substr(0, end), "\n")) {
        if (line.find('=') == std::string_view::npos)
            return base::fail(base::Errc::syntax, "a line that is not name=value");
        if (!line.starts_with(kRecipient)) continue;
        const auto recipient = mail::Mailbox::parse(line.substr(kRecipient.size()));
        if (!recipient) continue;
        const auto& domain = recipient->domain();
        if (domain.is_address_literal() || router_.serves(domain)) continue;
        if (table_.find(domain) == queue::Route::unknown) on_miss(domain);
    }
    output += kAnswer;
    return end + kEnd.size();
}

}  // namespace smtp_bridge
