// Mirror: what a component asks of a peer to learn how that sees it, and what it is told
// (protocol, "Asking how One is Seen").
//
// Plain values. Those that come from a peer were parsed and bounded by the mirror parser.
//
// Tested by tests/unit/component/protocol/mirror_codec_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "component/protocol/assurance.hpp"
#include "mail/domain.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace component {

/// Domains of one request: each may be looked up for it, and the answer has to fit into 10,000
/// bytes, which every server takes.
inline constexpr std::size_t kMirrorDomains = 20;
/// The longest that an answer may say it has taken: longer than anybody waits for it.
inline constexpr std::chrono::milliseconds kMirrorTook = std::chrono::minutes(10);

/// Whether a component may send in the name of a domain, as a peer finds.
enum class Standing : std::uint8_t {
    verified,        ///< it may
    unacknowledged,  ///< the domain neither names nor lists it
    disputed,        ///< several components claim the domain
    no_server,       ///< the DNS knows no XMPP server of the domain
    unreachable,     ///< the domain can't be asked now
    later,           ///< it was not looked up: there is too much to do
};
/// As it stands in XML, such as `no-server`.
const char* to_text(Standing standing);
/// Nothing for any other word.
std::optional<Standing> parse_standing(std::string_view word);

/// <mirror/>: how does the peer see the component that asks? It is asked in the name of the first
/// of the domains.
struct IncomingMirror {
    std::vector<mail::Domain> domains;  ///< each once, 1 to kMirrorDomains
};

/// <mirrored/>: the answer.
struct Mirrored {
    struct Seen {
        mail::Domain domain;
        Standing standing = Standing::later;
        bool operator==(const Seen&) const = default;
    };
    Assurance assurance = Assurance::none;  ///< of the links of the server that was asked
    std::uint64_t max_size = 0;             ///< bytes of a message
    std::uint64_t max_stanza = 0;           ///< bytes
    base::TimePoint time;                   ///< of its clock, as the answer left
    std::chrono::milliseconds took{};  ///< from the request to that, by a clock that nobody sets
    std::vector<Seen> domains;         ///< each once, at most kMirrorDomains

    bool operator==(const Mirrored&) const = default;
};

}  // namespace component
