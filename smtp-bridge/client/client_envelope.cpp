// Client's MAIL and RCPT: how many in one transaction, what the answers mean, and the check that
// goes no further.
#include "smtp-bridge/client/client.hpp"
#include "smtp-bridge/client/verdict.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include <boost/asio.hpp>
#include <fmt/format.h>

namespace smtp_bridge {
namespace {

using base::Result;
using mail::Reply;

/// Commands sent before their replies are read (RFC 2920 3.1). More would only risk that both ends
/// wait with full buffers.
constexpr std::size_t kGroup = 50;
/// Refusals that a link bears: from the tenth on Postfix waits for a second before each answer, and
/// with the twentieth it says 421 (smtpd_soft_error_limit, smtpd_hard_error_limit).
constexpr int kErrorRoom = 9;

std::vector<std::size_t> all(std::size_t count) {
    std::vector<std::size_t> places(count);
    std::iota(places.begin(), places.end(), std::size_t{0});
    return places;
}

}  // namespace

SendResult::SendResult(std::size_t recipients)
    : outcomes(recipients,
               queue::Deferred{{451, {4, 4, 2}, "It was not asked yet"}, "", false, {}}),
      left(all(recipients)) {}

CheckResult::CheckResult(std::size_t recipients)
    : replies(recipients, Reply{451, {4, 4, 2}, "It was not asked yet"}), left(all(recipients)) {}

/// Grows with what is answered well, so that one group holds no more refusals than a link bears.
std::size_t Client::group() const {
    if (!extensions_.pipelining) return 1;
    const std::size_t room = static_cast<std::size_t>(std::max(kErrorRoom - errors_, 1));
    return std::min(room + streak_, kGroup);
}

/// Those who come next, as many as the server takes in one transaction (RFC 9422).
Client::Places Client::next_turn(const Places& left, const MailboxOf& mailbox) const {
    const std::size_t most =
        std::min(extensions_.rcpt_max.value_or(left.size()), room_.value_or(left.size()));
    Places turn;
    std::set<mail::Domain> domains;
    for (const std::size_t place : left) {
        if (turn.size() == most) break;
        if (extensions_.rcpt_domain_max) {
            const auto& domain = mailbox(place).domain();
            if (!domains.contains(domain) && domains.size() == *extensions_.rcpt_domain_max)
                continue;
            domains.insert(domain);
        }
        turn.push_back(place);
    }
    return turn;
}

/// `lines`: MAIL, RCPT for each of the turn, and DATA if that is to follow.
base::Task<Result<void>> Client::propose(std::vector<std::string> lines, Proposal& proposal,
                                         const OnVerdict& on_verdict) {
    ++mails_;
    const std::size_t asked = proposal.turn.size();
    const bool with_data = lines.size() > asked + 1;
    const OnReply on_reply = [&](std::size_t i, const ServerReply& reply) {
        if (i == 0) {
            if (!reply.is(2)) proposal.no_sender = as_verdict(reply);
        } else if (i > asked) {
            proposal.data = reply;
        } else if (!proposal.no_sender) {
            proposal.answered = i;
            const Reply verdict = as_rcpt_verdict(reply);
            const std::size_t place = proposal.turn[i - 1];
            if (verdict.is_success()) proposal.accepted.push_back(place);
            const bool too_many = is_too_many(verdict);
            // RFC 5321 4.5.3.1.10: the rest goes in another transaction. Nobody has done
            // anything wrong. But who is refused as the first one would be so again.
            const bool waits = too_many && !proposal.accepted.empty();
            if (too_many) {
                ++proposal.too_many;
                --errors_;
            }
            if (waits && !proposal.full) room_ = proposal.accepted.size();
            proposal.full = proposal.full || too_many;
            on_verdict(place, verdict, !waits);
        }
        const bool nobody = proposal.answered == asked && proposal.accepted.empty();
        return !proposal.no_sender && !proposal.full && errors_ < kErrorRoom && !nobody;
    };
    auto done = co_await converse(std::move(lines), on_reply);
    const bool wants_data = with_data && !proposal.data && !proposal.accepted.empty();
    if (!done || !wants_data || proposal.no_sender) co_return done;
    const OnReply on_data = [&](std::size_t, const ServerReply& reply) {
        proposal.data = reply;
        return true;
    };
    std::vector<std::string> data{"DATA\r\n"};
    done = co_await converse(std::move(data), on_data);
    co_return done;
}

base::Task<void> Client::check(mail::ReversePath from, const std::vector<mail::Mailbox>& recipients,
                               CheckResult& result) {
    if (!extensions_.smtputf8) {
        const Reply missing{
            553, {5, 6, 7}, "Internationalised mail (SMTPUTF8) is not supported here"};
        const bool all_need = from && from->needs_smtputf8();
        std::erase_if(result.left, [&](std::size_t place) {
            const bool needs = all_need || recipients[place].needs_smtputf8();
            if (needs) result.replies[place] = missing;
            return needs;
        });
    }
    std::size_t before = recipients.size() + 1;
    while (!result.left.empty() && result.left.size() < before && bears_more()) {
        before = result.left.size();
        co_await ask(from, recipients, result);
    }
}

/// One transaction of a check.
base::Task<void> Client::ask(mail::ReversePath from, const std::vector<mail::Mailbox>& recipients,
                             CheckResult& result) {
    Proposal proposal;
    const MailboxOf mailbox = [&](std::size_t place) -> const mail::Mailbox& {
        return recipients[place];
    };
    proposal.turn = next_turn(result.left, mailbox);
    const auto needs = [&](std::size_t place) { return recipients[place].needs_smtputf8(); };
    const bool utf8 = (from && from->needs_smtputf8()) || std::ranges::any_of(proposal.turn, needs);
    std::vector<std::string> lines;
    lines.push_back(
        fmt::format("MAIL FROM:<{}>{}\r\n", mail::to_text(from), utf8 ? " SMTPUTF8" : ""));
    for (const std::size_t place : proposal.turn)
        lines.push_back(fmt::format("RCPT TO:<{}>\r\n", recipients[place].text()));
    const OnVerdict on_verdict = [&](std::size_t place, const Reply& reply, bool is_final) {
        result.replies[place] = reply;
        if (is_final) std::erase(result.left, place);
    };
    const auto done = co_await propose(std::move(lines), proposal, on_verdict);
    const auto say = [&](const Reply& reply) {
        for (const std::size_t place : result.left)
            result.replies[place] = reply;
    };
    if (proposal.no_sender) {
        say(*proposal.no_sender);
        result.for_sender = std::exchange(result.left, {});
    } else if (!done) {
        say(lost(done.error(), "the link while asking for recipients"));
    } else if (proposal.takes_nobody()) {
        say({452, {4, 5, 3}, "The next hop takes no recipients now"});
        result.left.clear();
    }
    if (done) co_await reset();
}

base::Task<std::optional<Reply>> Client::prove() {
    ++mails_;
    const auto reply = co_await command("MAIL FROM:<>\r\n");
    if (!reply) co_return lost(reply.error(), "the link at MAIL");
    co_await reset();
    if (!alive_) co_return Reply{451, {4, 4, 2}, target_.to_text() + ": does not answer MAIL"};
    co_return std::nullopt;
}

}  // namespace smtp_bridge
