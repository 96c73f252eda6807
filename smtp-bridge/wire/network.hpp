// Network: a range of IP addresses in CIDR notation, as in "which clients may hand us mail".
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>

namespace smtp_bridge {

/// `127.0.0.0/8`, `::1/128`, or one address. Immutable value.
class Network {
  public:
    /// Errc::syntax; also for bits set behind the prefix, as that is a slip of the pen.
    static base::Result<Network> parse(std::string_view text);

    /// False for an address of the other family. A v4-mapped v6 address is to be unmapped before.
    bool contains(const boost::asio::ip::address& address) const;
    std::string to_text() const;

  private:
    boost::asio::ip::address address_;
    unsigned prefix_ = 0;
};

}  // namespace smtp_bridge
