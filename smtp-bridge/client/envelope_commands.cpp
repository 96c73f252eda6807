#include "smtp-bridge/client/envelope_commands.hpp"

#include "mail/dsn_parameters.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace smtp_bridge {
namespace {

using mail::Reply;

bool needs_smtputf8(const mail::Envelope& envelope) {
    const auto needs = [](const mail::Recipient& r) { return r.address.needs_smtputf8(); };
    return envelope.smtputf8 || (envelope.from && envelope.from->needs_smtputf8()) ||
           std::ranges::any_of(envelope.recipients, needs);
}

Reply smtputf8_missing() {
    return {553, {5, 6, 7}, "The next hop does not support internationalised mail (SMTPUTF8)"};
}

std::string upper(std::string text) {
    for (char& c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

}  // namespace

std::optional<Reply> cannot_carry(const Parcel& parcel, const Extensions& extensions) {
    const auto& envelope = parcel.envelope;
    if (envelope.requiretls && !extensions.requiretls && !extensions.private_last_hop)
        return Reply{550, {5, 7, 30}, "The next hop can't keep REQUIRETLS"};
    if (extensions.size && parcel.size() > *extensions.size)
        return Reply{
            552,
            {5, 3, 4},
            fmt::format("The next hop takes messages of up to {} bytes", *extensions.size)};
    if (!extensions.smtputf8) {
        if (envelope.from && envelope.from->needs_smtputf8()) return smtputf8_missing();
        if (envelope.smtputf8 && parcel.eight_bit_header) return smtputf8_missing();
    }
    if (!extensions.eight_bit_mime && parcel.eight_bit)
        return Reply{554, {5, 6, 3}, "The next hop does not take 8-bit messages (8BITMIME)"};
    return std::nullopt;
}

std::optional<Reply> cannot_carry(const mail::Mailbox& recipient, const Extensions& extensions) {
    if (extensions.smtputf8 || !recipient.needs_smtputf8()) return std::nullopt;
    return smtputf8_missing();
}

std::string mail_command(const Parcel& parcel, const Extensions& extensions) {
    const auto& envelope = parcel.envelope;
    std::string line = fmt::format("MAIL FROM:<{}>", mail::to_text(envelope.from));
    if (extensions.size_announced) line += fmt::format(" SIZE={}", parcel.size());
    if (extensions.eight_bit_mime && parcel.eight_bit) line += " BODY=8BITMIME";
    if (extensions.smtputf8 && needs_smtputf8(envelope)) line += " SMTPUTF8";
    if (envelope.requiretls && extensions.requiretls) line += " REQUIRETLS";
    if (extensions.dsn && envelope.ret != mail::Ret::unset)
        line += envelope.ret == mail::Ret::full ? " RET=FULL" : " RET=HDRS";
    const auto envid = extensions.dsn ? mail::write_envid(envelope.envid) : std::string();
    if (!envid.empty()) line += " ENVID=" + envid;
    return line + "\r\n";
}

std::string rcpt_command(const mail::Recipient& recipient, const Extensions& extensions) {
    std::string line = fmt::format("RCPT TO:<{}>", recipient.address.text());
    if (extensions.dsn && recipient.notify.is_set())
        line += " NOTIFY=" + upper(recipient.notify.to_text(','));
    const auto orcpt = extensions.dsn ? mail::write_orcpt(recipient.orcpt) : std::string();
    if (!orcpt.empty()) line += " ORCPT=" + orcpt;
    return line + "\r\n";
}

}  // namespace smtp_bridge
