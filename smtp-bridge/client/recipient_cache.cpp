#include "smtp-bridge/client/recipient_cache.hpp"

namespace smtp_bridge {
namespace {

constexpr auto kYesTime = std::chrono::seconds(60);
constexpr auto kNoTime = std::chrono::seconds(30);

/// NUL stands in no address. For everybody: a key without a sender, which the null sender's isn't.
std::string key_for_all(const mail::Mailbox& recipient) {
    return recipient.text();
}

std::string key_for(const mail::ReversePath& from, const mail::Mailbox& recipient) {
    std::string key = recipient.text();
    key += '\0';
    key += mail::to_text(from);
    return key;
}

}  // namespace

std::optional<mail::Reply> RecipientCache::find(const mail::ReversePath& from,
                                                const mail::Mailbox& recipient,
                                                TimePoint now) const {
    for (const auto& key : {key_for_all(recipient), key_for(from, recipient)}) {
        const auto found = entries_.find(key);
        if (found != entries_.end() && found->second.until > now) return found->second.reply;
    }
    return std::nullopt;
}

void RecipientCache::add(const mail::ReversePath& from, const mail::Mailbox& recipient,
                         const mail::Reply& reply, About about, TimePoint now) {
    if (!reply.is_success() && !reply.is_permanent()) return;
    const bool for_all = about == About::recipient && reply.is_about_recipient();
    auto key = for_all ? key_for_all(recipient) : key_for(from, recipient);
    entries_[key] = {reply, now + (reply.is_success() ? kYesTime : kNoTime), ++serial_};
    ages_.push_back({std::move(key), serial_});
    // The oldest go first, replaced ones (whose serial is another) without effect.
    while (entries_.size() > most_ || ages_.size() > 2 * most_) {
        const auto found = entries_.find(ages_.front().key);
        if (found != entries_.end() && found->second.serial == ages_.front().serial)
            entries_.erase(found);
        ages_.pop_front();
    }
}

}  // namespace smtp_bridge
