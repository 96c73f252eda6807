// Organisation: whose quota something counts against.
//
// Whoever has a domain has any number of names below it, each with a certificate, and so any number
// of JIDs. What a name alone could claim a share of is therefore counted by the domain that
// somebody had to register (mail/public_suffix). Immutable value.
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace mail {

class Organisation {
  public:
    /// Of a domain, or of a JID's domainpart in whatever spelling (U-labels, upper case, a final
    /// dot). A name without a registrable domain (a public suffix itself, a single label) is one by
    /// itself; all addresses of hosts are one together, as no server has to be called so.
    static Organisation of(std::string_view name);

    /// `evil.test`, for logs and the database.
    const std::string& name() const { return name_; }
    auto operator<=>(const Organisation&) const = default;

  private:
    explicit Organisation(std::string name) : name_(std::move(name)) {}
    std::string name_;
};

}  // namespace mail
