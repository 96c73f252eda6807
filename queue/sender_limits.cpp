#include "queue/sender_limits.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace queue {
namespace {

constexpr std::size_t kLocalPart = 64;  // octets; RFC 5321 4.5.3.1.1

std::string name_of_local_part(std::string_view text) {
    return base::to_lower(text.substr(0, std::min(text.find('+', 1), kLocalPart)));
}

}  // namespace

const char* to_text(Beyond beyond) {
    switch (beyond) {
        case Beyond::log:
            return "log";
        case Beyond::hold:
            return "hold";
        case Beyond::refuse:
            return "refuse";
    }
    return "log";
}

const char* to_text(Counted what) {
    switch (what) {
        case Counted::messages:
            return "messages";
        case Counted::recipients:
            return "recipients";
        case Counted::unknown:
            return "unknown-recipients";
    }
    return "messages";
}

std::string sender_name(std::string_view login_or_address) {
    const auto at = login_or_address.rfind('@');
    std::string local = name_of_local_part(login_or_address.substr(0, at));
    if (at == std::string_view::npos) return local;
    const auto text = login_or_address.substr(at + 1);
    const auto domain = mail::Domain::parse(text);
    return local + '@' +
           (domain ? domain->ascii() : base::to_lower(text.substr(0, base::limits::kDomain)));
}

std::string sender_name(const mail::Mailbox& address) {
    return name_of_local_part(address.local_part()) + '@' + address.domain().ascii();
}

std::string domain_of(std::string_view sender_name) {
    const auto at = sender_name.rfind('@');
    return at == std::string_view::npos ? std::string() : std::string(sender_name.substr(at));
}

SenderLimits::SenderLimits(SenderRule usual, std::map<std::string, SenderRule> special,
                           std::set<std::string> exempt)
    : usual_(usual), special_(std::move(special)), exempt_(std::move(exempt)) {}

const SenderRule* SenderLimits::rule(const std::string& name) const {
    const std::string domain = domain_of(name);
    if (exempt_.contains(name) || (!domain.empty() && exempt_.contains(domain.substr(1))))
        return nullptr;
    const auto found = special_.find(name);
    return found == special_.end() ? &usual_ : &found->second;
}

const SenderRule* SenderLimits::rule_together(const std::string& domain) const {
    const auto found = special_.find(domain);
    return found == special_.end() ? nullptr : &found->second;
}

}  // namespace queue
