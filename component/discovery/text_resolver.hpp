// TextResolver: what the DNS has in TXT records.
//
// DnsTextResolver asks by a DnsChannel, from the event loop and without a thread.
//
// Tested by tests/unit/component/discovery/resolver_test.cpp.
#pragma once

#include "base/async.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace component {

/// The TXT records at one name; each as one text (RFC 1035 3.3.14), in which there may be any
/// octet.
struct TextAnswer {
    bool known = false;              ///< false: SERVFAIL, time-out, or more than is read
    std::vector<std::string> texts;  ///< empty: there are none
    std::chrono::seconds ttl{0};     ///< of those that there are
};

class TextResolver {
  public:
    /// That are asked for at once, and read of an answer: what is longer, or more, is no record
    /// that we look for.
    static constexpr std::size_t kNames = 8;
    static constexpr std::size_t kTexts = 32;
    static constexpr std::size_t kTextBytes = 4096;

    virtual ~TextResolver() = default;
    /// One answer for each of `names` (kNames at most; any further one is not known), in order. All
    /// are asked at the same time, and what is not there after `limit` is not known.
    virtual base::Task<std::vector<TextAnswer>> find_texts(std::vector<std::string> names,
                                                           std::chrono::milliseconds limit) = 0;
};

class DnsTextResolver final : public TextResolver {
  public:
    /// `server`: `IP` or `IP:port`, `[IPv6]:port`; empty: as the system's resolv.conf says.
    explicit DnsTextResolver(std::string server) : server_(std::move(server)) {}
    base::Task<std::vector<TextAnswer>> find_texts(std::vector<std::string> names,
                                                   std::chrono::milliseconds limit) override;

  private:
    std::string server_;
};

}  // namespace component
