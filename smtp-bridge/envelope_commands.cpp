#include "smtp-bridge/envelope_commands.hpp"

#include "base/text.hpp"
#include "mail/header_scanner.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace smtp_bridge {
namespace {

using mail::Reply;

bool header_is_ascii(const Parcel& parcel) {
    // The head is whole fields, and the rest goes on with fields, the empty line or the body.
    return base::is_ascii(parcel.head) && base::is_ascii(mail::header_of(parcel.rest()));
}

bool needs_smtputf8(const mail::Envelope& envelope) {
    const auto needs = [](const mail::Recipient& r) { return r.address.needs_smtputf8(); };
    return envelope.smtputf8 || (envelope.from && envelope.from->needs_smtputf8()) ||
           std::ranges::any_of(envelope.recipients, needs);
}

Reply smtputf8_missing() {
    return {553, {5, 6, 7}, "The next hop does not support internationalised mail (SMTPUTF8)"};
}

/// RFC 6533 section 3: what isn't ASCII in an address of type utf-8 as \x{HEX}, which is ASCII.
std::string encode_utf8_address(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto lead = static_cast<unsigned char>(text.front());
        const std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        const auto sequence = text.substr(0, length);
        if (length == 1) {
            if (lead <= 0x20 || lead == '+' || lead == '=' || lead == 0x7F)
                out += fmt::format("\\x{{{:02X}}}", lead);
            else
                out += text.front();
        } else {
            std::uint32_t point = lead & (0xFFu >> (length + 1));
            for (const char c : sequence.substr(1))
                point = point << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
            out += fmt::format("\\x{{{:X}}}", point);
        }
        text.remove_prefix(sequence.size());
    }
    return out;
}

std::string upper(std::string text) {
    for (char& c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

std::string encode_orcpt(std::string_view orcpt) {
    const auto semicolon = orcpt.find(';');
    // What is in the queue may come from a program that looked less closely.
    if (semicolon == std::string_view::npos || !mail::is_address_type(orcpt.substr(0, semicolon)))
        return {};
    const auto type = orcpt.substr(0, semicolon + 1);
    const auto address = orcpt.substr(semicolon + 1);
    if (base::iequals(type, "utf-8;")) return std::string(type) + encode_utf8_address(address);
    return std::string(type) + mail::encode_xtext(address);
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
        if (envelope.smtputf8 && !header_is_ascii(parcel)) return smtputf8_missing();
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
    if (extensions.dsn && !envelope.envid.empty())
        line += " ENVID=" + mail::encode_xtext(envelope.envid);
    return line + "\r\n";
}

std::string rcpt_command(const mail::Recipient& recipient, const Extensions& extensions) {
    std::string line = fmt::format("RCPT TO:<{}>", recipient.address.text());
    if (extensions.dsn && recipient.notify.is_set())
        line += " NOTIFY=" + upper(recipient.notify.to_text(','));
    if (extensions.dsn && !recipient.orcpt.empty()) {
        if (const auto orcpt = encode_orcpt(recipient.orcpt); !orcpt.empty())
            line += " ORCPT=" + orcpt;
    }
    return line + "\r\n";
}

}  // namespace smtp_bridge
