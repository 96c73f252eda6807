// ClassRules: what the class of a domain that sends to us means: how much of its mail is taken in
// an hour, how large a message, over which links, or none at all. Values.
//
// Tested by tests/unit/component/incoming/class_gate_test.cpp and
// tests/unit/app/config/class_sections_test.cpp.
#pragma once

#include "base/token_bucket.hpp"
#include "component/stream/link.hpp"
#include "queue/ports.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace component {

/// What is counted of a domain's mail.
enum class PeerCount : std::uint8_t { messages, recipients, bytes };
inline constexpr std::array kPeerCounts{PeerCount::messages, PeerCount::recipients,
                                        PeerCount::bytes};
/// `messages`, `recipients`, `bytes`.
const char* to_text(PeerCount what);

/// Of each PeerCount, in its order; nothing: as much as comes.
using PeerRates = std::array<std::optional<std::uint64_t>, kPeerCounts.size()>;

struct ClassRule {
    PeerRates an_hour{};         ///< of the domains of one organisation in this class
    PeerRates an_hour_of_all{};  ///< of all domains of this class together
    /// What may come in so long may come at once.
    std::chrono::milliseconds burst = std::chrono::hours(1);
    std::optional<std::uint64_t> max_size{};  ///< bytes of a message; nothing: as all may send
    Assurance assurance = Assurance::none;    ///< what our server has to demand of its links
    bool refuse = false;                      ///< nothing is taken

    bool operator==(const ClassRule&) const = default;
};

class ClassRules {
  public:
    /// The usual ones, as in packetboat.conf(5).
    ClassRules();
    /// None that limits anything.
    static ClassRules unlimited();

    /// Of a domain that is in no class: as `new`.
    const ClassRule& of(queue::PeerClass peer_class) const { return rules_.at(index(peer_class)); }
    void set(queue::PeerClass peer_class, const ClassRule& rule) {
        rules_.at(index(peer_class)) = rule;
    }

  private:
    static std::size_t index(queue::PeerClass peer_class) {
        const bool is_none = peer_class == queue::PeerClass::none;
        return static_cast<std::size_t>(is_none ? queue::PeerClass::newcomer : peer_class);
    }

    std::array<ClassRule, queue::kPeerClasses + 1> rules_{};
};

}  // namespace component
