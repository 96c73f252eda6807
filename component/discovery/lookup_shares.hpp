// LookupShares: which look-ups of domains may be under way at the same time.
//
// Anybody can make us look up any number of names whose servers take their time. So each cause has
// places of its own (limits::kOwnLookups and so on), and each organisation a part of them: a
// stranger's has more than one only while half of the strangers' places are free. Pure; event loop.
#pragma once

#include "mail/organisation.hpp"

#include <array>
#include <cstdint>
#include <map>

namespace component {

class LookupShares {
  public:
    enum class Cause : std::uint8_t {
        new_mail,       ///< mail of ours that has just come, or an administrator
        waiting_mail,   ///< mail of ours that has waited before
        hint,           ///< nothing waits for it
        correspondent,  ///< the claim of a sender that mail of ours has gone to
        stranger,       ///< the claim of any other
    };
    struct Place {
        Cause cause = Cause::new_mail;
        mail::Organisation of;  ///< the sender's; else that of the name that is looked up
        auto operator<=>(const Place&) const = default;
    };

    bool has_room(const Place& place) const;
    void take(const Place& place);
    void give_back(const Place& place);

  private:
    std::size_t of(Cause cause) const { return by_cause_[static_cast<std::size_t>(cause)]; }

    std::array<std::size_t, 5> by_cause_{};
    std::map<Place, std::size_t> taken_;  ///< at most limits::kLookups
};

}  // namespace component
