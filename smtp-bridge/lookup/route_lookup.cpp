#include "smtp-bridge/lookup/route_lookup.hpp"

#include "base/limits.hpp"
#include "smtp-bridge/lookup/netstring.hpp"

#include <fmt/format.h>

namespace smtp_bridge {
namespace {

constexpr std::string_view kNotFound = "NOTFOUND ";

/// The domain that a key of transport(5) is about. Postfix asks for the address, its domain,
/// `.parent`s and `*`; the same domain is behind the first two.
std::string_view domain_of(std::string_view key) {
    const auto at = key.rfind('@');
    if (at != std::string_view::npos) return key.substr(at + 1);
    // A local part alone, or a name of this network: nothing that another domain could serve.
    return key.find('.') == std::string_view::npos ? std::string_view() : key;
}

}  // namespace

std::string RouteLookup::answer_to(std::string_view request, const OnMiss& on_miss) const {
    const auto space = request.find(' ');
    if (space == std::string_view::npos || request.substr(0, space) != kRouteMap)
        return fmt::format("PERM unknown map, expected \"{}\"", kRouteMap);
    const auto key = request.substr(space + 1);
    if (key.size() > base::limits::kMailbox) return std::string(kNotFound);
    const auto text = domain_of(key);
    if (text.empty() || text.front() == '.') return std::string(kNotFound);
    const auto domain = mail::Domain::parse(text);
    if (!domain || domain->is_address_literal() || router_.serves(*domain))
        return std::string(kNotFound);
    if (router_.is_required(domain->ascii())) return fmt::format("OK {}", ok_);
    const auto route = table_.find(*domain);
    if (route == queue::Route::xmpp) return fmt::format("OK {}", ok_);
    if (route == queue::Route::unknown) on_miss(*domain);
    return std::string(kNotFound);
}

base::Result<LookupAnswer> RouteLookup::answer(std::string_view input, std::string& output,
                                               const OnMiss& on_miss) const {
    const auto parsed = parse_netstring(input, base::limits::kNetstring);
    if (!parsed) return parsed.error();
    if (!*parsed) return LookupAnswer{};
    const Netstring& request = **parsed;
    output += to_netstring(answer_to(request.payload, on_miss));
    return LookupAnswer{request.used};
}

}  // namespace smtp_bridge
