#include "smtp-bridge/lookup/policy_lookup.hpp"

#include "base/limits.hpp"
#include "mail/address.hpp"

namespace smtp_bridge {
namespace {

/// Of an address as Postfix has it inside, without quotes, so that its local part may hold
/// anything; nothing: there is none that anybody could have.
std::optional<mail::Domain> domain_of_path(std::string_view address) {
    const auto at = address.rfind('@');
    if (at == std::string_view::npos) return std::nullopt;
    auto domain = mail::Domain::parse_loosely(address.substr(at + 1));
    if (!domain) return std::nullopt;
    return std::move(*domain);
}

}  // namespace

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

/// Of bounces there is no sender to go by, and what is ours, or from whoever we trust, is for
/// others to look at.
std::optional<queue::LaneQuestion> PolicyLookup::lane_question(const Request& request) const {
    const bool is_asked = lane_ != nullptr && settings_->mode != ClosedLaneMode::off;
    if (!is_asked || !request.login.empty() || request.state != "RCPT") return std::nullopt;
    const auto sender = domain_of_path(request.sender);
    // `RCPT TO:<postmaster>`
    const bool is_bare = request.recipient.find('@') == std::string_view::npos;
    const auto to = is_bare ? router_.main_domain() : domain_of_path(request.recipient);
    if (!sender || !to || !router_.serves(*to)) return std::nullopt;
    const bool is_ours =
        router_.ours().contains(sender->ascii()) || router_.component_for_sender(*sender);
    if (is_ours || settings_->is_exempt(*sender, request.client)) return std::nullopt;
    return queue::LaneQuestion{*sender, *to, std::string(request.client)};
}

std::optional<OpenAnswer> PolicyLookup::answer_on_lane(queue::LaneQuestion question,
                                                       std::string instance,
                                                       std::string& output) const {
    using queue::PromiseFinding;
    const queue::PeerClass against = lane_->class_against(question.sender);
    const auto reply = [settings = settings_, marked = marked_, sender = question.sender, against,
                        instance = std::move(instance)](PromiseFinding finding) {
        return "action=" +
               closed_lane_action(*settings, sender, finding, against, instance, *marked) + "\n\n";
    };
    if (!lane_->concerns(question.sender, question.recipient)) {
        output += reply(PromiseFinding::none);
        return std::nullopt;
    }
    if (settings_->mode == ClosedLaneMode::log) {
        // Nobody has to wait for what only the log will say.
        lane_->look(std::move(question), [](PromiseFinding) {});
        output += reply(PromiseFinding::none);
        return std::nullopt;
    }
    const auto ask = [lane = lane_, question = std::move(question),
                      reply](const OpenAnswer::Tell& tell) {
        lane->look(question, [reply, tell](PromiseFinding finding) { tell(reply(finding)); });
    };
    return OpenAnswer{ask, [reply] { return reply(PromiseFinding::unconfirmed); }};
}

base::Result<LookupAnswer> PolicyLookup::answer(std::string_view input, std::string& output,
                                                const OnMiss& on_miss) const {
    Request request;
    std::size_t at = 0;
    for (;;) {
        const auto newline = input.find('\n', at);
        if (newline == std::string_view::npos) {
            if (input.size() > base::limits::kNetstring)
                return base::fail(base::Errc::limit, "the request is too long");
            return LookupAnswer{};
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
    if (auto question = lane_question(request)) {
        std::string instance(request.instance);
        return LookupAnswer{at, answer_on_lane(std::move(*question), std::move(instance), output)};
    }
    output += "action=" + action_on(request) + "\n\n";
    return LookupAnswer{at};
}

}  // namespace smtp_bridge
