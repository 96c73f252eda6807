// The receiver's rules on one transfer that need nobody else's word: time, content, sender,
// recipients.
//
// Pure. A rule that a transfer breaks gives the reply for its recipients (protocol rules 3 to 9);
// nothing means that the rule holds.
#pragma once

#include "base/clock.hpp"
#include "component/protocol/transfer.hpp"
#include "component/stream/link.hpp"
#include "mail/header_scanner.hpp"
#include "mail/status.hpp"
#include "queue/destination.hpp"

#include <optional>
#include <set>
#include <string_view>

namespace component {

/// `expires` is over, or lies further ahead than limits::kRetention: 451 4.4.7.
std::optional<mail::Reply> check_expiry(const IncomingTransfer& transfer, base::TimePoint now);
/// More than we take: 552 5.3.4.
std::optional<mail::Reply> check_size(const IncomingTransfer& transfer,
                                      const ComponentSettings& settings);
/// What has to be known of a content to take it.
struct ContentCheck {
    mail::Sha256 hash{};
    base::Result<void> lines;
    mail::HeaderSummary header;

    static ContentCheck of(std::string_view content);
};
/// Hash, lines and a malformed header 554 5.6.0, Received fields 554 5.4.6.
std::optional<mail::Reply> check_content(const IncomingTransfer& transfer,
                                         const ContentCheck& check);
/// It has come through us more than mail::kMostOwnHops times: 554 5.4.6.
std::optional<mail::Reply> check_own_hops(std::string_view content, const queue::Router& router);
/// requiretls, where we don't offer it, 550 5.7.30; a sender that is not ASCII without smtputf8
/// 553 5.6.7.
std::optional<mail::Reply> check_envelope(const mail::Envelope& envelope,
                                          const ComponentSettings& settings);
/// A domain that this component doesn't serve 550 5.7.1; an address not ASCII without smtputf8
/// 553 5.6.7.
std::optional<mail::Reply> check_recipient(const mail::Envelope& envelope,
                                           const mail::Mailbox& recipient,
                                           const ComponentSettings& settings,
                                           const queue::Router& router);
/// The domains of its recipients, of those that this component serves.
std::set<mail::Domain> domains_of_recipients(const mail::Envelope& envelope,
                                             const ComponentSettings& settings);

/// Whether the sender's domain needs an authorisation of its own: it is neither null, nor the
/// transfer's domain, nor a subdomain of it that belongs to the same organisation (protocol rule
/// 5).
bool is_foreign_sender(const IncomingTransfer& transfer);

}  // namespace component
