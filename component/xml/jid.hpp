// Jid: an XMPP address (RFC 7622 3.1), split correctly also where the resource contains an `@`.
//
// A value that owns its text. Parsing fails with Errc::syntax or Errc::limit. Only the domainpart
// is folded, as domains are all that Packetboat compares: U-labels in lower case, without a final
// dot (mail::Domain::domainpart()).
#pragma once

#include "base/result.hpp"

#include <compare>
#include <string>
#include <string_view>

namespace component {

class Jid {
  public:
    /// `local@domain/resource`; each part at most 1023 octets, the domainpart never empty.
    static base::Result<Jid> parse(std::string_view text);

    const std::string& local() const { return local_; }
    const std::string& domain() const { return domain_; }
    const std::string& resource() const { return resource_; }
    /// True for what a component is: no localpart, no resource.
    bool is_domain() const { return local_.empty() && resource_.empty(); }
    std::string bare() const { return local_.empty() ? domain_ : local_ + '@' + domain_; }
    std::string full() const { return resource_.empty() ? bare() : bare() + '/' + resource_; }

    auto operator<=>(const Jid&) const = default;

  private:
    Jid() = default;
    std::string local_;
    std::string domain_;
    std::string resource_;
};

}  // namespace component
