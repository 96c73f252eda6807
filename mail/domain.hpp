// Domain: a mail domain in the one form in which domains are compared: lower-case A-labels; and how
// it is written elsewhere.
#pragma once

#include "base/result.hpp"

#include <compare>
#include <string>
#include <string_view>

namespace mail {

/// A DNS name (`a.test`, `xn--bcher-kva.test`) or an address literal (`[192.0.2.1]`). Immutable
/// value.
class Domain {
  public:
    /// Takes U-labels or A-labels of any case (RFC 5891 5, UTS 46 non-transitional mapping); a
    /// final dot is not accepted. Errc::syntax for what is neither a host name nor an address
    /// literal; Errc::limit above 255 octets.
    static base::Result<Domain> parse(std::string_view text);

    /// What mail servers take for a domain, too, though no grammar has it: a dot-atom such as
    /// `web_01.a.test` or `host.123`, with a final dot or not; a name that is none by IDNA; an
    /// address literal in any spelling. It is compared as text, lower-case, without the final dot.
    /// Errc::syntax, Errc::limit.
    static base::Result<Domain> parse_loosely(std::string_view text);

    /// `xn--bcher-kva.test`; never empty. Of what only parse_loosely() takes, it may be UTF-8.
    const std::string& ascii() const { return ascii_; }
    /// In U-labels (RFC 5890 2.3.2.1), `bücher.test`; of which parse() makes the same domain again.
    /// What has no such form (fake A-labels, what IDNA 2008 does not allow) stays as it is, as a
    /// whole.
    std::string unicode() const;
    /// As the domainpart of a JID (RFC 7622 3.2): unicode(); but what the XMPP servers of
    /// today, which prepare names by RFC 3491, would change into another domain (`ß` into `ss`)
    /// stays in A-labels.
    std::string domainpart() const;
    bool is_address_literal() const { return ascii_.front() == '['; }
    /// True if this is below `other`; false if both are equal.
    bool is_subdomain_of(const Domain& other) const;

    auto operator<=>(const Domain&) const = default;

  private:
    explicit Domain(std::string ascii) : ascii_(std::move(ascii)) {}
    std::string ascii_;
};

}  // namespace mail
