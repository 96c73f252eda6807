#include "smtp-bridge/route_answer.hpp"

#include "base/limits.hpp"

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

std::string route_answer(std::string_view request, std::string_view ok_answer,
                         const queue::RouteTable& table, const queue::Router& router,
                         const std::function<void(const mail::Domain&)>& on_miss) {
    const auto space = request.find(' ');
    if (space == std::string_view::npos || request.substr(0, space) != kRouteMap)
        return fmt::format("PERM unknown map, expected \"{}\"", kRouteMap);
    const auto key = request.substr(space + 1);
    if (key.size() > base::limits::kMailbox) return std::string(kNotFound);
    const auto text = domain_of(key);
    if (text.empty() || text.front() == '.') return std::string(kNotFound);
    const auto domain = mail::Domain::parse(text);
    if (!domain || domain->is_address_literal() || router.serves(*domain))
        return std::string(kNotFound);
    switch (table.find(*domain)) {
        case queue::Route::xmpp:
            return fmt::format("OK {}", ok_answer);
        case queue::Route::unknown:
            on_miss(*domain);
            break;
        case queue::Route::smtp:
            break;
    }
    return std::string(kNotFound);
}

}  // namespace smtp_bridge
