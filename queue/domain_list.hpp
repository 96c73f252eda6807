// DomainList: a file of domains, as an administrator writes it: one a line, in A- or U-labels;
// `.example.org` or `*.example.org` for a domain and all below it; what begins with `#` is a
// comment.
//
// Immutable value, pure.
//
// Tested by tests/unit/queue/domain_list_test.cpp.
#pragma once

#include "base/result.hpp"
#include "mail/domain.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace queue {

class DomainList {
  public:
    /// Of a file: what is longer is none that a person keeps, and belongs in the DNS. Read within a
    /// tenth of a second.
    static constexpr std::size_t kBytes = std::size_t{4} << 20;
    static constexpr std::size_t kLines = 100'000;

    DomainList() = default;
    /// Errc::syntax, Errc::limit; the text begins with the line, `12: not a domain name`.
    static base::Result<DomainList> parse(std::string_view text);

    /// Is it on the list, itself or by a domain that it is below?
    bool names(const mail::Domain& domain) const;
    /// Lines that name a domain, each once.
    std::size_t size() const { return exact_.size() + whole_.size(); }

  private:
    base::Result<void> add(std::string_view entry);

    std::vector<std::string> exact_;  ///< in order, as is
    std::vector<std::string> whole_;  ///< with all that is below
};

}  // namespace queue
