// DMARC: what the DNS says of the organisation that a domain belongs to, and of how strictly its
// names have to agree (RFC 9989 4.10). Pure: component/discovery/domain_owners asks the DNS.
//
// What a domain wants done with mail that fails DMARC, and whom it wants to hear of it (p, sp, np,
// t, rua, ruf, fo), is not read: nobody here judges by it.
#pragma once

#include "mail/domain.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

/// A DMARC policy record, as far as alignment goes by it (RFC 9989 4.7).
struct DmarcRecord {
    /// Where it was found, names of other organisations are registered; or there are none below.
    enum class Psd : std::uint8_t { unsaid, yes, no };
    Psd psd = Psd::unsaid;
    bool strict_dkim = false;  ///< adkim=s
    bool strict_spf = false;   ///< aspf=s

    /// Nothing unless it begins with `v=DMARC1`. A tag that has no valid value, or several, has its
    /// default (RFC 9989 4.8).
    static std::optional<DmarcRecord> parse(std::string_view text);
    /// The one among a name's TXT records; nothing if there are several.
    static std::optional<DmarcRecord> only_one(const std::vector<std::string>& texts);

    bool operator==(const DmarcRecord&) const = default;
};

/// The domains at whose `_dmarc` there may be a record that says something of `domain`, in the
/// order in which they are asked: `domain`, and its parents up to the top, of which those with more
/// than seven labels are left out, so that there are eight at most. Of an address literal none.
std::vector<std::string> dmarc_walk(const Domain& domain);

/// What the DNS has for one of them.
struct DmarcAnswer {
    bool known = true;  ///< false: it did not say
    std::optional<DmarcRecord> record{};
};

/// The organisation that a domain belongs to, and what policy applies to it.
struct DomainOwner {
    Domain domain;
    Domain organisation;
    /// Where the policy record was found that applies to `domain`, if one was (RFC 9989 4.10.1): at
    /// the domain itself, its organisation's, or its public suffix's.
    std::optional<Domain> policy_domain{};
    bool strict_dkim = false;  ///< that record's
    bool strict_spf = false;
    /// False: the DNS did not say all that it takes, so that `organisation` is listed().
    bool is_sure = true;
    /// What a psd tag made the organisation, or of which it is said to be no parent.
    std::optional<Domain> border{};

    /// As the Public Suffix List has it, without the DNS.
    static DomainOwner by_public_suffix(Domain domain);
    /// `answers`: one for each name of dmarc_walk(), in order; one that is missing is not known.
    /// Where no name has a record, DMARC says nothing of the domain, and the organisation is that
    /// of the Public Suffix List.
    static DomainOwner by_walk(const Domain& domain, const std::vector<DmarcAnswer>& answers);
    /// The organisation by the Public Suffix List, but none that spans a border of which the DNS
    /// told: for the comparison with another of which it did not say all.
    Domain listed() const;
    bool is_of_same_organisation(const DomainOwner& other) const;

    bool operator==(const DomainOwner&) const = default;
};

}  // namespace mail
