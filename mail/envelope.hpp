// Envelope: what SMTP says about a message beside its content, with the DSN parameters of RFC 3461.
#pragma once

#include "base/clock.hpp"
#include "mail/address.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mail {

/// BODY= of RFC 6152 2.
enum class Body { seven_bit, eight_bit_mime };
/// RET= of RFC 3461 4.3.
enum class Ret { unset, full, headers };

/// NOTIFY= of RFC 3461 4.1: unset, `NEVER`, or any of the other three.
struct Notify {
    bool never = false;
    bool success = false;
    bool failure = false;
    bool delay = false;

    bool is_set() const { return never || success || failure || delay; }
    /// RFC 3461 4.1: without NOTIFY, failures are reported (and delays may be).
    bool wants_failure() const { return failure || !is_set(); }
    /// Lower-case words with `separator` between them; empty when unset.
    std::string to_text(char separator) const;
    /// Words in any case with `separator` between them. Errc::syntax for another word, a repeated
    /// one, `never` beside others, or nothing at all.
    static base::Result<Notify> parse(std::string_view text, char separator);

    bool operator==(const Notify&) const = default;
};

struct Recipient {
    std::uint32_t n = 0;  ///< its number in the message, from 0; never changes on the way
    Mailbox address;
    Notify notify;
    std::string orcpt;  ///< what parse_orcpt() gave; empty when not given

    bool operator==(const Recipient&) const = default;
};

struct Envelope {
    ReversePath from;
    std::vector<Recipient> recipients;
    Body body = Body::seven_bit;
    bool smtputf8 = false;    ///< RFC 6531 3.4
    bool requiretls = false;  ///< RFC 8689 4.1
    Ret ret = Ret::unset;
    std::string envid;  ///< what parse_envid() gave; empty when not given

    bool operator==(const Envelope&) const = default;
};

/// The type of an address in ORCPT (RFC 3461 4.2), which goes into commands as it is:
/// letters, digits and hyphens.
bool is_address_type(std::string_view type);

/// xtext of RFC 3461 4. Decoding: Errc::syntax for a bad escape or a control character.
std::string encode_xtext(std::string_view text);
base::Result<std::string> decode_xtext(std::string_view text);
/// The same with control characters.
base::Result<std::string> decode_xtext_loosely(std::string_view text);

}  // namespace mail
