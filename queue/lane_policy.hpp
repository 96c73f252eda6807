// LanePolicy: what the administrator wants of the XMPP lane for a recipient's domain. Pure,
// immutable; Lanes has the one that is in force, for any thread.
//
// Tested by tests/unit/queue/destination_test.cpp and
// tests/unit/queue/delivery/fallback_test.cpp.
#pragma once

#include "mail/domain.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

namespace queue {

struct LaneRule {
    /// XMPP or not at all: such mail waits, and is returned when its time is up, but never goes by
    /// SMTP.
    bool required = false;
    /// Mail that has waited so long for a peer that can't be reached goes by SMTP, as does new mail
    /// for one that has been out for so long; nothing: it waits until discovery gives the peer up.
    /// Not for a domain that is required.
    std::optional<std::chrono::milliseconds> fallback_after{};
    /// It is required as we have promised it to the domain's component, which may refuse all else.
    bool promised = false;
};

class LanePolicy {
  public:
    LanePolicy() = default;
    LanePolicy(LaneRule usual, std::map<mail::Domain, LaneRule> special);

    /// `domain`: A-labels, lower case, as in a Destination.
    const LaneRule& of(std::string_view domain) const;
    const std::map<std::string, LaneRule, std::less<>>& special() const { return special_; }

  private:
    LaneRule usual_;
    std::map<std::string, LaneRule, std::less<>> special_;
};

/// The policy that is in force. It is replaced as a whole, so that nobody sees half of a change.
class Lanes {
  public:
    explicit Lanes(LanePolicy policy)
        : policy_(std::make_shared<const LanePolicy>(std::move(policy))) {}

    std::shared_ptr<const LanePolicy> now() const {
        const std::lock_guard lock(mutex_);
        return policy_;
    }
    void replace(LanePolicy policy) {
        auto next = std::make_shared<const LanePolicy>(std::move(policy));
        const std::lock_guard lock(mutex_);
        policy_ = std::move(next);
    }

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const LanePolicy> policy_;
};

}  // namespace queue
