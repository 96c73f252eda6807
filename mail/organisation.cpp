#include "mail/organisation.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "mail/domain.hpp"
#include "mail/public_suffix.hpp"

#include <algorithm>
#include <utility>

namespace mail {
namespace {

constexpr const char* kAddresses = "[address]";

bool is_address(std::string_view name) {
    if (name.find_first_of("[]:") != std::string_view::npos) return true;
    const std::string_view last = name.substr(name.rfind('.') + 1);
    return !last.empty() && std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
}

std::string name_of(std::string_view name) {
    while (name.ends_with('.'))
        name.remove_suffix(1);
    if (is_address(name)) return kAddresses;
    const auto domain = Domain::parse(name);
    // Also what no host may be called (`_x.evil.test`) can be a JID.
    std::string text = domain ? domain->ascii() : base::to_lower(name);
    std::string registrable = registrable_domain(text);
    return registrable.empty() ? text : registrable;
}

}  // namespace

Organisation Organisation::of(std::string_view name) {
    // A longer one is no domain's, and its end alone tells whose it is.
    if (name.size() > base::limits::kMailbox)
        name.remove_prefix(name.size() - base::limits::kMailbox);
    // On its way through each room, a mail's peer is asked for ten times in a row.
    thread_local std::pair<std::string, std::string> last;
    if (last.first != name || last.second.empty()) last = {std::string(name), name_of(name)};
    return Organisation(last.second);
}

}  // namespace mail
