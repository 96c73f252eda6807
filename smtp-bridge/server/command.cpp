#include "smtp-bridge/server/command.hpp"

#include "base/characters.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "mail/dsn_parameters.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include <fmt/format.h>

namespace smtp_bridge {
namespace {

namespace limits = base::limits;
using mail::Reply;

/// A step of parsing: nothing if it went well, else the reply.
using Refusal = std::optional<Reply>;

Reply syntax_error(std::string text) {
    return {501, {5, 5, 4}, std::move(text)};
}

struct Parameter {
    std::string keyword;  ///< upper case would do as well; lower case here
    std::string value;
    bool has_value = false;
};

struct PathAndParameters {
    std::string_view path;  ///< between the angle brackets
    std::vector<Parameter> parameters;
};

/// Of ASCII and C1; a tab may stand for a space. What else is not printable may be meant in an
/// address. `line` is UTF-8.
bool has_control(std::string_view line) {
    while (!line.empty()) {
        const auto c = *base::take_character(line);
        if ((c < 0x20 && c != '\t') || (c >= 0x7F && c < 0xA0)) return true;
    }
    return false;
}

bool is_keyword(std::string_view text) {
    const auto alnum = [](char c) {
        const char lower = base::to_lower(c);
        return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
    };
    return !text.empty() && alnum(text.front()) &&
           std::ranges::all_of(text, [&](char c) { return alnum(c) || c == '-'; });
}

/// esmtp-value of RFC 5321 4.1.2 with the UTF-8 of RFC 6531 3.3.
bool is_value(std::string_view text) {
    return !text.empty() && std::ranges::none_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= 0x20 || byte == 0x7F || c == '=';
    });
}

/// Finds the `>` that ends the path: one in a quoted local part doesn't.
std::size_t end_of_path(std::string_view text) {
    bool quoted = false;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (quoted && text[i] == '\\')
            ++i;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (text[i] == '>' && !quoted)
            return i;
    }
    return std::string_view::npos;
}

/// RFC 5321 4.1.1.3: a source route (`@a.test,@b.test:`) is accepted, and ignored.
std::string_view without_route(std::string_view path) {
    std::string_view rest = path;
    while (rest.starts_with('@')) {
        const std::size_t literal = rest.starts_with("@[") ? rest.find(']') : 0;
        const auto end = rest.find_first_of(",:", literal);
        const auto host = rest.substr(1, end == rest.npos ? end : end - 1);
        if (end == rest.npos || !mail::Domain::parse_loosely(host)) break;
        const bool last = rest[end] == ':';
        rest.remove_prefix(end + 1);
        if (last) return rest;
    }
    return path;
}

std::variant<PathAndParameters, Reply> split_arguments(std::string_view text,
                                                       const Reply& bad_path) {
    PathAndParameters found;
    if (!text.starts_with('<')) return bad_path;
    const auto end = end_of_path(text);
    if (end == std::string_view::npos) return bad_path;
    found.path = text.substr(1, end - 1);
    const auto rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ' ') return bad_path;
    if (has_control(rest)) return syntax_error("Control characters in a parameter");
    std::set<std::string> seen;
    for (const auto word : base::split(rest, " ")) {
        const auto equals = word.find('=');
        Parameter parameter{base::to_lower(word.substr(0, equals)), "",
                            equals != std::string_view::npos};
        if (parameter.has_value) parameter.value = word.substr(equals + 1);
        if (!is_keyword(parameter.keyword) || (parameter.has_value && !is_value(parameter.value)))
            return syntax_error("Malformed parameter");
        // RFC 3461 4.5.
        if (!seen.insert(parameter.keyword).second)
            return syntax_error(fmt::format("Parameter {} given twice", parameter.keyword));
        found.parameters.push_back(std::move(parameter));
    }
    return found;
}

/// RFC 5321 4.1.1.11.
Reply unknown_parameter(const Parameter& parameter) {
    return {555, {5, 5, 4}, fmt::format("Unsupported parameter {}", parameter.keyword)};
}

/// RFC 3461 5.1 wants 501 for its own, too.
Reply bad_value(const Parameter& parameter) {
    return syntax_error(fmt::format("Bad value of parameter {}", parameter.keyword));
}

/// RFC 6710 7: one digit, perhaps with a sign before it, and 0 has none.
std::optional<int> parse_priority(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    if (text.size() != 1 || text.front() < '0' || text.front() > '9') return std::nullopt;
    if (negative && text.front() == '0') return std::nullopt;
    return negative ? '0' - text.front() : text.front() - '0';
}

Refusal apply(MailFrom& command, const Parameter& parameter) {
    const std::string_view value = parameter.value;
    if (parameter.keyword == "size") {
        const auto size = base::parse_number(value);
        if (!size || value.size() > 20) return bad_value(parameter);
        command.size = *size;
    } else if (parameter.keyword == "body") {
        if (base::iequals(value, "8BITMIME"))
            command.body = mail::Body::eight_bit_mime;
        else if (!base::iequals(value, "7BIT"))
            return bad_value(parameter);
    } else if (parameter.keyword == "smtputf8") {
        if (parameter.has_value) return bad_value(parameter);
        command.smtputf8 = true;
    } else if (parameter.keyword == "ret") {
        if (base::iequals(value, "FULL"))
            command.ret = mail::Ret::full;
        else if (base::iequals(value, "HDRS"))
            command.ret = mail::Ret::headers;
        else
            return bad_value(parameter);
    } else if (parameter.keyword == "envid") {
        auto envid = mail::parse_envid(value);
        if (!envid) return bad_value(parameter);
        command.envid = std::move(*envid);
    } else if (parameter.keyword == "requiretls") {
        if (parameter.has_value) return bad_value(parameter);
        command.requiretls = true;
    } else if (parameter.keyword == "mt-priority") {
        command.priority = parse_priority(value);
        if (!command.priority) return bad_value(parameter);
    } else {
        return unknown_parameter(parameter);
    }
    return std::nullopt;
}

Refusal apply(RcptTo& command, const Parameter& parameter) {
    if (parameter.keyword == "notify") {
        const auto notify = mail::Notify::parse(parameter.value, ',');
        if (!notify) return bad_value(parameter);
        command.notify = *notify;
    } else if (parameter.keyword == "orcpt") {
        auto orcpt = mail::parse_orcpt_of_client(parameter.value);
        if (!orcpt) return bad_value(parameter);
        command.orcpt = std::move(*orcpt);
    } else {
        return unknown_parameter(parameter);
    }
    return std::nullopt;
}

Reply bad_address(const base::Error& error, mail::EnhancedStatus status) {
    return {error.code == base::Errc::limit ? 553 : 501, status, error.text};
}

ParsedCommand parse_mail(std::string_view arguments) {
    constexpr mail::EnhancedStatus kBadSender{5, 1, 7};
    const auto split = split_arguments(arguments, {501, kBadSender, "Syntax: MAIL FROM:<address>"});
    if (const auto* refusal = std::get_if<Reply>(&split)) return *refusal;
    const auto& [path, parameters] = std::get<PathAndParameters>(split);
    MailFrom command;
    if (!path.empty()) {
        auto from = mail::Mailbox::parse_loosely(without_route(path));
        if (!from) return bad_address(from.error(), kBadSender);
        command.from = std::move(*from);
    }
    for (const auto& parameter : parameters) {
        if (auto refusal = apply(command, parameter)) return *refusal;
    }
    // RFC 6531 3.4: whose mail needs the extension says so.
    if (command.from && command.from->needs_smtputf8() && !command.smtputf8)
        return Reply{553, {5, 6, 7}, "A sender that is not ASCII needs SMTPUTF8"};
    return Command(std::move(command));
}

ParsedCommand parse_rcpt(std::string_view arguments) {
    constexpr mail::EnhancedStatus kBadRecipient{5, 1, 3};
    const auto split =
        split_arguments(arguments, {501, kBadRecipient, "Syntax: RCPT TO:<address>"});
    if (const auto* refusal = std::get_if<Reply>(&split)) return *refusal;
    const auto& [path, parameters] = std::get<PathAndParameters>(split);
    RcptTo command;
    if (!base::iequals(path, "postmaster")) {
        auto address = mail::Mailbox::parse_loosely(without_route(path));
        if (!address) return bad_address(address.error(), kBadRecipient);
        command.address = std::move(*address);
    }
    for (const auto& parameter : parameters) {
        if (auto refusal = apply(command, parameter)) return *refusal;
    }
    return Command(std::move(command));
}

ParsedCommand parse_hello(Hello::Verb verb, std::string_view name) {
    if (name.empty() || name.find(' ') != name.npos ||
        base::printable(name, limits::kDomain) != name)
        return syntax_error("A host name or address literal is needed");
    return Command(Hello{verb, std::string(name)});
}

ParsedCommand parse_chunk(std::string_view arguments) {
    const auto words = base::split(arguments);
    const bool last = words.size() == 2 && base::iequals(words[1], "LAST");
    const bool well_formed = words.size() == 1 || last;
    const auto size = base::parse_number(well_formed ? words[0] : std::string_view());
    if (!size || words[0].size() > 20) return syntax_error("Syntax: BDAT octets [LAST]");
    return Command(Chunk{*size, last});
}

template <class T>
ParsedCommand about_client(std::string_view arguments) {
    auto attributes = parse_xclient_attributes(arguments);
    if (!attributes) return syntax_error(attributes.error().text);
    return Command(T{std::move(*attributes)});
}

template <class T>
ParsedCommand without_arguments(std::string_view arguments) {
    if (!arguments.empty()) return syntax_error("This command takes no parameters");
    return Command(T{});
}

}  // namespace

ParsedCommand parse_command(std::string_view line) {
    if (!base::is_utf8(line)) return Reply{500, {5, 5, 2}, "Neither ASCII nor UTF-8"};
    const bool has_path =
        base::istarts_with(line, "MAIL FROM:") || base::istarts_with(line, "RCPT TO:");
    // A path may have some, in quotes.
    if (!has_path && has_control(line))
        return Reply{500, {5, 5, 2}, "Control characters in a command"};
    const auto space = line.find(' ');
    const auto verb = line.substr(0, space);
    // RFC 5321 4.1.1: trailing white space is tolerated.
    const auto arguments = space == std::string_view::npos ? "" : base::trim(line.substr(space));

    if (base::istarts_with(line, "MAIL FROM:")) return parse_mail(base::trim(line).substr(10));
    if (base::istarts_with(line, "RCPT TO:")) return parse_rcpt(base::trim(line).substr(8));
    if (base::iequals(verb, "MAIL")) return Reply{501, {5, 5, 4}, "Syntax: MAIL FROM:<address>"};
    if (base::iequals(verb, "RCPT")) return Reply{501, {5, 5, 4}, "Syntax: RCPT TO:<address>"};
    if (base::iequals(verb, "EHLO")) return parse_hello(Hello::Verb::ehlo, arguments);
    if (base::iequals(verb, "HELO")) return parse_hello(Hello::Verb::helo, arguments);
    if (base::iequals(verb, "LHLO")) return parse_hello(Hello::Verb::lhlo, arguments);
    if (base::iequals(verb, "DATA")) return without_arguments<Data>(arguments);
    if (base::iequals(verb, "RSET")) return without_arguments<Reset>(arguments);
    if (base::iequals(verb, "QUIT")) return without_arguments<Quit>(arguments);
    if (base::iequals(verb, "NOOP")) return Command(Noop{});
    if (base::iequals(verb, "HELP")) return Command(Help{});
    if (base::iequals(verb, "VRFY")) {
        if (arguments.empty()) return syntax_error("Syntax: VRFY address");
        return Command(Verify{});
    }
    if (base::iequals(verb, "BDAT")) return parse_chunk(arguments);
    if (base::iequals(verb, "STARTTLS")) return without_arguments<StartTls>(arguments);
    if (base::iequals(verb, "XFORWARD")) return about_client<Forward>(arguments);
    if (base::iequals(verb, "XCLIENT")) return about_client<Impersonate>(arguments);
    // RFC 5321 4.2.4: what is known, and not to be had here.
    for (const std::string_view known : {"EXPN", "ETRN", "TURN", "AUTH"}) {
        if (base::iequals(verb, known)) return Reply{502, {5, 5, 1}, "Command not implemented"};
    }
    return Reply{500, {5, 5, 2}, "Command not recognized"};
}

}  // namespace smtp_bridge
