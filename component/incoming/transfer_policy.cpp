#include "component/incoming/transfer_policy.hpp"

#include "mail/own_hops.hpp"
#include "mail/public_suffix.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace component {

namespace limits = base::limits;

std::optional<mail::Reply> check_expiry(const IncomingTransfer& transfer, base::TimePoint now) {
    const bool is_over = transfer.expires <= now;
    if (!is_over && transfer.expires <= now + limits::kRetention) return std::nullopt;
    // One of the two clocks may be wrong: who reads this is to see which.
    return mail::Reply{451,
                       {4, 4, 7},
                       fmt::format("the transfer {} ({}) by our clock, which shows {}",
                                   is_over ? "has expired" : "expires too far in the future",
                                   base::to_datetime(transfer.expires), base::to_datetime(now))};
}

std::optional<mail::Reply> check_size(const IncomingTransfer& transfer,
                                      const ComponentSettings& settings) {
    if (transfer.size <= settings.max_size) return std::nullopt;
    return mail::Reply{552, {5, 3, 4}, "the message is too large"};
}

ContentCheck ContentCheck::of(std::string_view content) {
    return {mail::sha256(content), mail::check_lines(content), mail::summarize_header(content)};
}

std::optional<mail::Reply> check_content(const IncomingTransfer& transfer,
                                         const ContentCheck& check) {
    if (check.hash != transfer.hash)
        return mail::Reply{554, {5, 6, 0}, "the hash is not that of the content"};
    if (!check.lines) return mail::Reply{554, {5, 6, 0}, check.lines.error().text};
    // Behind such a line a reader may see fields that we don't: a forged Authentication-Results,
    // say.
    if (!check.header.well_formed)
        return mail::Reply{554, {5, 6, 0}, "the header has a line that is no field"};
    if (check.header.received > limits::kReceived)
        return mail::Reply{554, {5, 4, 6}, "too many hops: a mail loop"};
    return std::nullopt;
}

std::optional<mail::Reply> check_own_hops(std::string_view content, const queue::Router& router) {
    if (mail::own_hops(content, router.components(), {}) <= mail::kMostOwnHops) return std::nullopt;
    return mail::Reply{554, {5, 4, 6}, "it was here too often: a mail loop"};
}

std::optional<mail::Reply> check_envelope(const mail::Envelope& envelope,
                                          const ComponentSettings& settings) {
    if (envelope.requiretls && !settings.requiretls)
        return mail::Reply{550, {5, 7, 30}, "REQUIRETLS cannot be kept here"};
    if (envelope.from && envelope.from->needs_smtputf8() && !envelope.smtputf8)
        return mail::Reply{553, {5, 6, 7}, "the sender's address needs SMTPUTF8"};
    return std::nullopt;
}

std::optional<mail::Reply> check_recipient(const mail::Envelope& envelope,
                                           const mail::Mailbox& recipient,
                                           const ComponentSettings& settings,
                                           const queue::Router& router) {
    const auto& served = settings.domains;
    const bool ours = std::ranges::find(served, recipient.domain()) != served.end();
    if (!ours || !router.serves(recipient.domain()))
        return mail::Reply{550, {5, 7, 1}, "relaying denied"};
    if (recipient.needs_smtputf8() && !envelope.smtputf8)
        return mail::Reply{553, {5, 6, 7}, "the address needs SMTPUTF8"};
    return std::nullopt;
}

std::set<mail::Domain> domains_of_recipients(const mail::Envelope& envelope,
                                             const ComponentSettings& settings) {
    std::set<mail::Domain> domains;
    for (const mail::Recipient& recipient : envelope.recipients)
        domains.insert(recipient.address.domain());
    std::erase_if(domains, [&](const mail::Domain& each) {
        return std::ranges::find(settings.domains, each) == settings.domains.end();
    });
    return domains;
}

bool is_foreign_sender(const IncomingTransfer& transfer) {
    if (!transfer.envelope.from) return false;
    const auto& domain = transfer.envelope.from->domain();
    return domain != transfer.key.domain && !mail::is_own_subdomain(domain, transfer.key.domain);
}

}  // namespace component
