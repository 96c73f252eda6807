#include "smtp-bridge/server/transaction.hpp"

#include "base/limits.hpp"
#include "mail/own_hops.hpp"
#include "mail/xmpp_fit.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace smtp_bridge {

namespace limits = base::limits;
using mail::Reply;

namespace {

Reply beyond_limits() {
    return {450, {4, 7, 1}, std::string(queue::kSenderRefused)};
}

/// What mail from there, which we have promised to send over XMPP only, is refused with.
Reply promised(const mail::Mailbox& from, const mail::Domain& to, const std::string& why) {
    return {550,
            {5, 7, 1},
            fmt::format("{}, and {} has promised {} that its mail comes over nothing else", why,
                        from.domain().ascii(), to.ascii())};
}

Reply bad_sequence(std::string text) {
    return {503, {5, 5, 1}, std::move(text)};
}

}  // namespace

/// A foreign sender's mail is a list's or a forwarder's, and who wrote to it is nobody we know.
bool Transaction::takes_from_limits(const MailFrom& command) {
    const auto& from = command.from;
    if (settings_.senders == nullptr || !from || !router_.component_for_sender(from->domain()))
        return true;
    const auto client = forwarded_.find("ADDR");
    ticket_.emplace(*settings_.senders, *from,
                    client == forwarded_.end() ? std::string() : client->second);
    if (ticket_->take({1, 0, 0})) return true;
    ticket_.reset();
    return false;
}

/// LMTP has LHLO in the place of the others (RFC 2033 4.1). Whichever it is, it ends what was begun
/// (RFC 5321 4.1.4).
Reply Transaction::hello(const Hello& command) {
    const bool lmtp = settings_.protocol == Protocol::lmtp;
    if (lmtp != (command.verb == Hello::Verb::lhlo))
        return {500, {5, 5, 1}, lmtp ? "This is LMTP: say LHLO" : "This is SMTP: say EHLO"};
    reset();
    helo_ = command.name;
    return {250, {2, 0, 0}, settings_.hostname};
}

/// RFC 5321 4.1.4: the order of commands. RFC 1870 6.1: what is too large is refused before it
/// comes. RFC 8689 2: REQUIRETLS is for those it was announced to.
Reply Transaction::mail(const MailFrom& command) {
    if (helo_.empty()) return bad_sequence("Say hello first");
    if (started_) return bad_sequence("There is a sender already");
    if (command.size && *command.size > settings_.max_size)
        return {
            552, {5, 3, 4}, fmt::format("Messages are limited to {} bytes", settings_.max_size)};
    if (command.requiretls && !offers_requiretls())
        return {555, {5, 5, 4}, "Unsupported parameter requiretls"};
    if (!takes_from_limits(command)) return beyond_limits();
    started_ = true;
    size_ = command.size;
    priority_ = command.priority;
    envelope_.from = command.from;
    envelope_.body = command.body;
    envelope_.smtputf8 = command.smtputf8;
    envelope_.requiretls = command.requiretls;
    envelope_.ret = command.ret;
    envelope_.envid = command.envid;
    return {250, {2, 1, 0}, "Sender ok"};
}

Reply Transaction::rcpt(const RcptTo& command) {
    if (!started_) return bad_sequence("MAIL comes first");
    // RFC 5321 4.5.3.1.10: 452, so that the client sends to the rest afterwards.
    if (envelope_.recipients.size() >= limits::kRecipients)
        return {452, {4, 5, 3}, "Too many recipients"};
    const auto address =
        command.address ? base::Result<mail::Mailbox>(*command.address) : postmaster();
    if (!address) return {451, {4, 3, 5}, "This host has no usable name of its own"};
    // RFC 6531 3.5 has the code.
    if (address->needs_smtputf8() && !envelope_.smtputf8)
        return {553, {5, 6, 7}, "A recipient that is not ASCII needs SMTPUTF8"};
    auto destination = router_.route(envelope_.from, *address);
    // Without a domain it is ours, whatever the domains are.
    if (!command.address) destination = router_.local(address->domain());
    if (destination.lane == queue::Lane::relay && !mail::fits_xmpp(envelope_.from, *address) &&
        router_.rule(address->domain().ascii()).required)
        return {550, {5, 7, 0}, "XMPP can't carry these addresses, and is required (policy)"};
    if (destination.lane == queue::Lane::relay && is_promised(address->domain()))
        return promised(*envelope_.from, address->domain(), "XMPP can't carry these addresses");
    if (const auto refusal = refuse_size(address->domain(), size_.value_or(0))) return *refusal;
    if (ticket_ && !ticket_->take({0, 1, 0})) return beyond_limits();
    destinations_.push_back(std::move(destination));
    const auto n = static_cast<std::uint32_t>(envelope_.recipients.size());
    envelope_.recipients.push_back({n, *address, command.notify, command.orcpt});
    return {250, {2, 1, 5}, "Recipient ok"};
}

/// RFC 5321 4.5.1: of the domain whose mail server takes mail from us. Our host's own name
/// may be nobody's mail domain.
base::Result<mail::Mailbox> Transaction::postmaster() const {
    const auto domain = router_.main_domain();
    return mail::Mailbox::parse("postmaster@" + (domain ? domain->ascii() : settings_.hostname));
}

/// RFC 5321 3.3; without a recipient that was taken, LMTP wants 503 (RFC 2033 4.2).
std::optional<Reply> Transaction::refuse_data() const {
    if (!started_) return bad_sequence("MAIL comes first");
    if (envelope_.recipients.empty()) return bad_sequence("No valid recipients");
    return std::nullopt;
}

void Transaction::reset() {
    started_ = false;
    envelope_ = {};
    destinations_.clear();
    size_.reset();
    priority_.reset();
    forwarded_.clear();
    ticket_.reset();
}

void Transaction::forget_client() {
    reset();
    helo_.clear();
}

Reply Transaction::forward(const XclientAttributes& attributes) {
    if (helo_.empty()) return bad_sequence("Say hello first");
    if (started_) return bad_sequence("XFORWARD comes before MAIL");
    for (const auto& [name, value] : attributes)
        forwarded_[name] = value;
    return {250, {2, 0, 0}, "Ok"};
}

/// RFC 5321 2.3.8 for CR and LF, RFC 1870 6.3 for the size.
std::optional<Reply> Transaction::refuse(DataReader::Fault fault) {
    switch (fault) {
        case DataReader::Fault::none:
            break;
        case DataReader::Fault::bare_cr:
            return Reply{554, {5, 5, 2}, "Bare CR in the message"};
        case DataReader::Fault::bare_lf:
            return Reply{554, {5, 5, 2}, "Bare LF in the message"};
        case DataReader::Fault::too_large:
            return Reply{552, {5, 3, 4}, "Message too large"};
        case DataReader::Fault::unfinished:
            return Reply{554, {5, 6, 0}, "The last line of the message does not end with CR LF"};
    }
    return std::nullopt;
}

/// RFC 5321 6.3.
std::optional<Reply> Transaction::refuse(const mail::HeaderSummary& header,
                                         std::string_view beginning) const {
    if (header.received > limits::kReceived)
        return Reply{554, {5, 4, 6}, "Too many Received fields: a mail loop"};
    // Mail that came over XMPP and is forwarded rightly has our field, and more than one.
    if (mail::own_hops(beginning, router_.components(), settings_.hostname) > mail::kMostOwnHops)
        return Reply{554, {5, 4, 6}, "It was here too often: a mail loop"};
    return std::nullopt;
}

std::optional<Reply> Transaction::refuse_size(const mail::Domain& domain,
                                              std::uint64_t size) const {
    const std::size_t most = router_.bonds()->limit_of(domain.ascii());
    if (size <= most || !is_promised(domain)) return std::nullopt;
    Reply reply = promised(*envelope_.from, domain,
                           fmt::format("{} takes {} bytes over XMPP", domain.ascii(), most));
    reply.code = 552;
    reply.status = {5, 3, 4};
    return reply;
}

std::optional<Reply> Transaction::refuse_promised(const mail::HeaderSummary& header,
                                                  const DataReader& reader) const {
    const auto is_bound = [this](const mail::Recipient& recipient) {
        return is_promised(recipient.address.domain());
    };
    if (!std::ranges::all_of(envelope_.recipients, is_bound)) return std::nullopt;
    for (const mail::Recipient& recipient : envelope_.recipients) {
        if (auto refusal = refuse_size(recipient.address.domain(), reader.size())) return refusal;
    }
    const auto why = mail::unfit_for_xmpp(header, reader.has_nul());
    if (!why) return std::nullopt;
    return promised(*envelope_.from, envelope_.recipients.front().address.domain(), *why);
}

queue::Arrival Transaction::arrival(queue::Content content, mail::HeaderSummary header,
                                    const DataReader& reader, std::string client) {
    queue::Arrival arrival;
    arrival.unfit = mail::unfit_for_xmpp(header, reader.has_nul());
    arrival.header = std::move(header);
    arrival.envelope = std::move(envelope_);
    if (reader.eight_bit()) arrival.envelope.body = mail::Body::eight_bit_mime;
    arrival.destinations = std::move(destinations_);
    arrival.content = std::move(content);
    arrival.origin.kind = queue::Origin::Kind::smtp;
    const auto known = [&](const char* name, std::string otherwise) {
        const auto found = forwarded_.find(name);
        return found == forwarded_.end() || found->second.empty() ? otherwise : found->second;
    };
    arrival.origin.client = known("ADDR", std::move(client));
    arrival.origin.helo = known("HELO", helo_);
    arrival.priority = priority_;
    reset();
    return arrival;
}

Reply accepted(const queue::Committed<queue::Receipt>& receipt) {
    // Only a transfer whose recipients were all refused has no id, and this is none.
    const std::string id = receipt->id ? receipt->id->to_text() : "?";
    return {250, {2, 0, 0}, "Ok: queued as " + id};
}

Reply not_accepted(const base::Error& error) {
    switch (error.code) {
        case base::Errc::storage:
            return {452, {4, 3, 1}, "Mail can't be stored now"};
        case base::Errc::busy:
            return {451, {4, 3, 2}, "Too busy, try again later"};
        case base::Errc::limit:
            return {552, {5, 3, 4}, "Over a limit: " + error.text};
        default:
            return {451, {4, 3, 0}, "Mail can't be taken now"};
    }
}

}  // namespace smtp_bridge
