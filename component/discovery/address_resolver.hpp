// AddressResolver: what the DNS has in A records, which is how its lists answer (RFC 5782 3).
//
// Tested by tests/unit/component/discovery/resolver_test.cpp.
#pragma once

#include "base/async.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace component {

/// The addresses at one name.
struct AddressAnswer {
    bool known = false;                    ///< false: SERVFAIL, time-out, or more than is read
    std::vector<std::uint32_t> addresses;  ///< as numbers, 0x7F000002; empty: there are none
    std::chrono::seconds ttl{0};           ///< of those that there are
};

class AddressResolver {
  public:
    /// That are asked for at once, and read of an answer: no list has more to say of a name.
    static constexpr std::size_t kNames = 4;
    static constexpr std::size_t kAddresses = 32;

    virtual ~AddressResolver() = default;
    /// One answer for each of `names` (kNames at most; any further one is not known), in order. All
    /// are asked at the same time, and what is not there after `limit` is not known.
    virtual base::Task<std::vector<AddressAnswer>> find_addresses(
        std::vector<std::string> names, std::chrono::milliseconds limit) = 0;
};

class DnsAddressResolver final : public AddressResolver {
  public:
    /// `server`: `IP` or `IP:port`, `[IPv6]:port`; empty: as the system's resolv.conf says.
    explicit DnsAddressResolver(std::string server) : server_(std::move(server)) {}
    base::Task<std::vector<AddressAnswer>> find_addresses(std::vector<std::string> names,
                                                          std::chrono::milliseconds limit) override;

  private:
    std::string server_;
};

}  // namespace component
