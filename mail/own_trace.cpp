#include "mail/own_trace.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "mail/header_scanner.hpp"
#include "mail/own_hops.hpp"
#include "mail/trace.hpp"

#include <algorithm>

namespace mail {
namespace {

constexpr std::size_t kMailboxes = 10;  // that are looked at
constexpr std::size_t kFieldMost = 4000;

/// What mail servers say of whose mailbox it is.
bool is_mailbox_field(std::string_view name) {
    return base::iequals(name, "Delivered-To") || base::iequals(name, "X-Original-To") ||
           base::iequals(name, "Envelope-To");
}

bool is_of_interest(std::string_view name) {
    return base::iequals(name, "Received") || base::iequals(name, "Authentication-Results") ||
           base::iequals(name, "Message-ID") || is_mailbox_field(name);
}

std::string one_line_of(std::string_view value) {
    std::string line(value);
    std::erase(line, '\r');
    std::ranges::replace(line, '\n', ' ');
    std::ranges::replace(line, '\t', ' ');
    return std::string(base::trim(line));
}

/// The address of such a field, without the brackets that some put around it.
std::string address_of(std::string_view value) {
    const std::string line = one_line_of(value);
    std::string_view address = line;
    if (address.starts_with('<') && address.ends_with('>'))
        address = address.substr(1, address.size() - 2);
    return std::string(address);
}

/// The domain that a field of ours is about.
std::optional<Domain> domain_of_transfer(std::string_view value) {
    constexpr std::string_view kProperty = "policy.domain=";
    const auto words = base::split(value, " \t\r\n;");
    const bool is_transfer = std::ranges::any_of(
        words, [](std::string_view word) { return word.starts_with("x-xmpp-s2s="); });
    const auto found = std::ranges::find_if(
        words, [&](std::string_view word) { return word.starts_with(kProperty); });
    if (!is_transfer || found == words.end()) return std::nullopt;
    auto domain = Domain::parse(found->substr(kProperty.size()));
    if (!domain) return std::nullopt;
    return std::move(*domain);
}

}  // namespace

std::optional<OwnTrace> find_own_trace(std::string_view content,
                                       const std::set<std::string>& components,
                                       std::string_view authserv_id) {
    const std::string_view header = content.substr(0, base::limits::kHeader);
    std::optional<Domain> domain;
    std::string transfer;
    std::vector<std::string> recipients;
    HeaderScanner scanner(header);
    while (const auto field = scanner.next()) {
        if (is_mailbox_field(field->name) && recipients.size() < kMailboxes) {
            recipients.push_back(address_of(field->value));
        } else if (!domain && base::iequals(field->name, "Authentication-Results")) {
            if (is_of_authserv(field->value, authserv_id))
                domain = domain_of_transfer(field->value);
        } else if (domain && transfer.empty() && base::iequals(field->name, "Received")) {
            transfer = transfer_of_hop(field->value, components);
        }
    }
    if (!domain || transfer.empty()) return std::nullopt;
    return OwnTrace{std::move(*domain), std::move(transfer), summarize_header(header).message_id,
                    std::move(recipients)};
}

std::string own_trace_fields(std::string_view header, std::size_t most) {
    std::string fields;
    HeaderScanner scanner(header);
    while (const auto field = scanner.next()) {
        if (!is_of_interest(field->name)) continue;
        const std::string line = std::string(field->name) + ": " +
                                 base::printable(one_line_of(field->value), kFieldMost) + "\r\n";
        if (fields.size() + line.size() > most) break;
        fields += line;
    }
    return fields;
}

}  // namespace mail
