#include "smtp-bridge/lookup/policy_lookup.hpp"

#include "base/limits.hpp"
#include "mail/address.hpp"

namespace smtp_bridge {

/// The attributes that count; views into the request.
struct PolicyLookup::Request {
    std::string_view state;
    std::string_view recipient;
    std::string_view sender;
    std::string_view login;
    std::string_view client;
    std::string_view instance;  ///< one for all recipients of a message

    void take(std::string_view name, std::string_view value) {
        if (name == "protocol_state") state = value;
        if (name == "recipient") recipient = value;
        if (name == "sender") sender = value;
        if (name == "sasl_username") login = value;
        if (name == "client_address") client = value;
        if (name == "instance") instance = value;
    }
};

/// Without a login, anybody can have written the sender's address: then nothing counts for it.
std::string PolicyLookup::action_on(const Request& request) const {
    using Verdict = queue::SenderCounts::Verdict;
    // Once for each recipient, wherever else Postfix asks.
    if (senders_ == nullptr || request.login.empty() || request.state != "RCPT") return "DUNNO";
    auto from = mail::Mailbox::parse_loosely(request.sender);
    queue::SenderCounts::Asking asking{request.login, {}, request.instance, request.client};
    if (from && router_.component_for_sender(from->domain())) asking.from = std::move(*from);
    switch (senders_->asks(asking)) {
        case Verdict::pass:
            break;
        case Verdict::hold:
            return "HOLD " + std::string(queue::kSenderHeld);
        case Verdict::refuse:
            // What is refused for good whatever the limit is is still refused for good.
            return "DEFER_IF_PERMIT 4.7.1 " + std::string(queue::kSenderRefused);
    }
    return "DUNNO";
}

base::Result<std::size_t> PolicyLookup::answer(std::string_view input, std::string& output,
                                               const OnMiss& on_miss) const {
    Request request;
    std::size_t at = 0;
    for (;;) {
        const auto newline = input.find('\n', at);
        if (newline == std::string_view::npos) {
            if (input.size() > base::limits::kNetstring)
                return base::fail(base::Errc::limit, "the request is too long");
            return std::size_t{0};
        }
        const auto line = input.substr(at, newline - at);
        at = newline + 1;
        if (line.empty()) break;
        const auto equals = line.find('=');
        if (equals == std::string_view::npos)
            return base::fail(base::Errc::syntax, "a line that is not name=value");
        request.take(line.substr(0, equals), line.substr(equals + 1));
    }
    const auto recipient = mail::Mailbox::parse(request.recipient);
    const bool concerns_us = recipient && !recipient->domain().is_address_literal() &&
                             !router_.serves(recipient->domain());
    if (concerns_us && table_.find(recipient->domain()) == queue::Route::unknown)
        on_miss(recipient->domain());
    output += "action=" + action_on(request) + "\n\n";
    return at;
}

}  // namespace smtp_bridge
