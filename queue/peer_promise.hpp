// PeerPromise: what a domain has announced of the closed lane, that its mail to peers comes over
// this protocol only, and when that counts; and the port by which the policy service asks.
//
// It is a sharp tool: who holds a domain's component for an hour must not be able to close the lane
// for long. So a promise counts only once it was read twice, a day apart, over a link that was
// verified, and is over after two weeks without another reading. The rules are pure.
//
// Tested by tests/unit/queue/peer_promise_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "mail/domain.hpp"
#include "queue/peer_class.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

namespace queue {

/// How far apart two readings have to be.
inline constexpr std::chrono::hours kPromiseProof{24};
/// A promise lasts no longer than this, whatever it says, unless it is read again.
inline constexpr std::chrono::hours kLongestPromise{14 * 24};
/// Domains of ours that one promise binds its domain towards. Towards more of them it does not
/// bind: then mail passes.
inline constexpr std::size_t kBoundDomains = 500;

struct PeerPromise {
    mail::Domain domain;
    std::string component;         ///< that speaks for it, and promised
    base::TimePoint first_read{};  ///< since then no reading was without it
    base::TimePoint last_read{};
    base::TimePoint until{};
    bool counts = false;
    /// Domains of ours: mail of the domain to somebody there had a verdict over XMPP. Not all that
    /// the same component serves: the promiser's mail server may not know those yet, and sends the
    /// first mail to each by SMTP.
    std::set<mail::Domain> bound{};

    bool stands(base::TimePoint now) const { return counts && now < until; }
    bool binds(const mail::Domain& ours) const { return bound.contains(ours); }
    /// Unless there are kBoundDomains.
    void bind(const mail::Domain& ours) {
        if (bound.size() < kBoundDomains) bound.insert(ours);
    }
    bool operator==(const PeerPromise&) const = default;
};

/// The form of a component that speaks for `domain` was read.
struct FormReading {
    mail::Domain domain;
    std::string component;
    bool verified = false;                   ///< over a link whose both ends had certificates
    std::optional<base::TimePoint> until{};  ///< nothing: it promises nothing for `domain`
    bool had_mail = false;  ///< mail of the domain was taken from this component before
};

/// The port by which it is heard what forms say, and to whom verdicts have gone. Event loop.
class PromiseListener {
  public:
    virtual ~PromiseListener() = default;
    virtual void form_read(const FormReading& reading) = 0;
    /// Mail of `domain` was taken, and had a verdict for `recipients`, domains of ours.
    virtual void verdict_given(const mail::Domain& domain,
                               const std::set<mail::Domain>& recipients) = 0;
};

enum class PromiseNews : std::uint8_t { nothing, first, renewed, counts, withdrawn };

struct PromiseRead {
    std::optional<PeerPromise> promise;
    PromiseNews news = PromiseNews::nothing;
};
/// What `reading` makes of what was known. `is_believed`: the clock (base/clock_trust); without
/// that nothing begins or is renewed, but what is withdrawn is.
PromiseRead after_reading(const std::optional<PeerPromise>& known, const FormReading& reading,
                          base::TimePoint now, bool is_believed);

/// The clock shows another time, and is believed: what does not count yet begins anew, as what was
/// written down by the other one proves nothing, and all else holds for no longer than if it had
/// been read now.
std::optional<PeerPromise> after_clock_change(PeerPromise promise, base::TimePoint now);

/// What a look at a promise found.
enum class PromiseFinding : std::uint8_t {
    none,         ///< it is withdrawn, or over
    confirmed,    ///< the form was read a moment ago, and has it
    unconfirmed,  ///< the form can't be read now
};
const char* to_text(PromiseFinding finding);

/// Mail that says it is of `sender` has come by SMTP, for somebody at `recipient`, of ours.
struct LaneQuestion {
    mail::Domain sender;
    mail::Domain recipient;
    std::string client;  ///< the address that it came from; for the log
};

/// The port by which the policy service asks whether mail may come by SMTP.
class ClosedLane {
  public:
    using Tell = std::function<void(PromiseFinding)>;

    virtual ~ClosedLane() = default;
    /// Whether it is worth a look(); from memory. Any thread.
    virtual bool concerns(const mail::Domain& sender, const mail::Domain& recipient) const = 0;
    /// Has the form read afresh. `tell` is called once, on the main loop, within some seconds;
    /// never, if the program ends before that. Any thread.
    virtual void look(LaneQuestion question, Tell tell) = 0;
    /// Poor, limited or blocked; none: nothing speaks against it. From memory. Any thread.
    virtual PeerClass class_against(const mail::Domain& sender) const = 0;
};

}  // namespace queue
