// Capability: what a peer's component says of itself in disco#info, read with suspicion.
//
// Pure values and functions; input that is absurd is bounded or ignored, never trusted.
#pragma once

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "mail/domain.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <gloox/tag.h>

namespace component {

/// The capability form (protocol); the values here are those of absent fields.
struct Capability {
    std::vector<mail::Domain> domains;                      ///< empty: it retires
    std::size_t max_stanza = base::limits::kStanzaUnknown;  ///< bytes
    std::size_t max_size = SIZE_MAX;                        ///< bytes of a message
    std::size_t max_recipients = 100;                       ///< of a stanza
    std::size_t max_batch = 1;
    std::size_t window = 65536;  ///< bytes without an answer
    std::chrono::seconds retention = base::limits::kRetention;
    bool eight_bit_mime = false;
    bool smtputf8 = false;
    bool dsn = false;
    bool requiretls = false;
    bool report = false;
    bool complaint = false;
    bool mirror = false;
    /// The closed lane: those of `domains` whose mail comes by this protocol only, until then.
    std::vector<mail::Domain> promised;
    base::TimePoint promised_until{};

    bool serves(const mail::Domain& domain) const;
    /// Nothing: it promises nothing for `domain`.
    std::optional<base::TimePoint> promise_for(const mail::Domain& domain) const;
    /// What it says of single domains, which may be many, is used up.
    void drop_domains();
};

/// What an entity says of itself: nothing where it has no such form.
struct PeerInfo {
    std::optional<Capability> capability;  ///< set if it has both the feature and the form
    /// `mail-transfer-addresses` of its server information (XEP-0157): bare domainparts.
    std::optional<std::vector<std::string>> mail_addresses;
};

/// Reads the result of a disco#info request (the whole IQ; XEP-0030 3.1), whose forms are known by
/// their FORM_TYPE (XEP-0128 2).
PeerInfo read_disco_info(const gloox::Tag& iq);
/// The items of a disco#items result (XEP-0030 4.1) that are bare domainparts below `parent` and of
/// the same organisation, without a node: at most `most`, each once. (Items below a public suffix
/// are other people's.)
std::vector<std::string> read_disco_items(const gloox::Tag& iq, std::size_t most,
                                          const mail::Domain& parent);

}  // namespace component
