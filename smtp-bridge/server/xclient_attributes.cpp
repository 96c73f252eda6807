#include "smtp-bridge/server/xclient_attributes.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "mail/envelope.hpp"

#include <algorithm>
#include <array>

#include <boost/asio/ip/address.hpp>

namespace smtp_bridge {
namespace {

using base::Errc;

/// Those of XFORWARD and of XCLIENT (Postfix's XFORWARD_README and XCLIENT_README). Their values
/// are xtext (RFC 3461 4).
constexpr std::array<std::string_view, 11> kNames{"NAME",         "ADDR",     "PORT",    "PROTO",
                                                  "HELO",         "IDENT",    "SOURCE",  "LOGIN",
                                                  "REVERSE_NAME", "DESTADDR", "DESTPORT"};
constexpr std::string_view kV6 = "IPV6:";

bool is_address(std::string_view text) {
    boost::system::error_code error;
    boost::asio::ip::make_address(std::string(text), error);
    return !error;
}

}  // namespace

base::Result<XclientAttributes> parse_xclient_attributes(std::string_view text) {
    XclientAttributes attributes;
    for (const auto word : base::split(text)) {
        const auto equals = word.find('=');
        std::string name;
        for (const std::string_view known : kNames) {
            if (base::iequals(word.substr(0, equals), known)) name = known;
        }
        if (equals == word.npos || name.empty())
            return base::fail(Errc::syntax, "Unknown attribute of a client");
        const auto decoded = mail::decode_xtext(word.substr(equals + 1));
        if (!decoded || decoded->empty() || decoded->size() > base::limits::kDomain ||
            base::printable(*decoded, base::limits::kDomain) != *decoded)
            return base::fail(Errc::syntax, "Bad value of attribute " + name);
        std::string value = *decoded;
        if (value == "[UNAVAILABLE]" || value == "[TEMPUNAVAIL]") value.clear();
        if (name.ends_with("ADDR") && base::istarts_with(value, kV6)) value.erase(0, kV6.size());
        if (name.ends_with("ADDR") && !value.empty() && !is_address(value))
            return base::fail(Errc::syntax, "Bad value of attribute " + name);
        if (!attributes.emplace(name, std::move(value)).second)
            return base::fail(Errc::syntax, "Attribute " + name + " given twice");
    }
    if (attributes.empty()) return base::fail(Errc::syntax, "Which attributes?");
    return attributes;
}

}  // namespace smtp_bridge
