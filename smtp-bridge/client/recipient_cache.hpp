// RecipientCache: what the local MTA said of recipients a moment ago.
//
// Bounded in entries and in time; on the event loop, no I/O. A yes holds for its sender only, as
// senders may be refused for themselves; "no such user" (5.1.1 and its kin) holds for all, if it
// was said of the recipient.
#pragma once

#include "mail/address.hpp"
#include "mail/status.hpp"

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

namespace smtp_bridge {

class RecipientCache {
  public:
    using TimePoint = std::chrono::steady_clock::time_point;

    explicit RecipientCache(std::size_t most = 10'000) : most_(most) {}

    /// Whose address a reply was given to: MAIL's or RCPT's.
    enum class About : std::uint8_t { sender, recipient };

    std::optional<mail::Reply> find(const mail::ReversePath& from, const mail::Mailbox& recipient,
                                    TimePoint now) const;
    /// Temporary failures are not kept: the next question may get another answer.
    void add(const mail::ReversePath& from, const mail::Mailbox& recipient,
             const mail::Reply& reply, About about, TimePoint now);
    std::size_t size() const { return entries_.size(); }

  private:
    struct Entry {
        mail::Reply reply;
        TimePoint until;
        std::uint64_t serial = 0;
    };
    struct Age {
        std::string key;
        std::uint64_t serial = 0;
    };

    std::size_t most_;
    std::uint64_t serial_ = 0;
    std::unordered_map<std::string, Entry> entries_;
    std::deque<Age> ages_;  ///< oldest first; as many as entries, and those that were replaced
};

}  // namespace smtp_bridge
