#include "smtp-bridge/wire/network.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace smtp_bridge {
namespace {

struct Bits {
    std::array<std::uint8_t, 16> bytes{};
    unsigned count = 0;

    bool at(unsigned i) const { return (bytes[i / 8] >> (7 - i % 8) & 1) != 0; }
};

Bits bits_of(const boost::asio::ip::address& address) {
    Bits bits;
    if (address.is_v4()) {
        const auto four = address.to_v4().to_bytes();
        std::ranges::copy(four, bits.bytes.begin());
        bits.count = 32;
    } else {
        const auto sixteen = address.to_v6().to_bytes();
        std::ranges::copy(sixteen, bits.bytes.begin());
        bits.count = 128;
    }
    return bits;
}

}  // namespace

base::Result<Network> Network::parse(std::string_view text) {
    const auto bad = [&](std::string_view why) {
        return base::fail(base::Errc::syntax,
                          fmt::format("\"{}\": {}", base::printable(text, 100), why));
    };
    const auto slash = text.find('/');
    boost::system::error_code error;
    Network network;
    network.address_ = boost::asio::ip::make_address(std::string(text.substr(0, slash)), error);
    if (error) return bad("expected an IP address or a network like 192.0.2.0/24");
    const Bits bits = bits_of(network.address_);
    network.prefix_ = bits.count;
    if (slash != std::string_view::npos) {
        const auto prefix = base::parse_number(text.substr(slash + 1), bits.count);
        if (!prefix)
            return bad(fmt::format("the prefix length is a number from 0 to {}", bits.count));
        network.prefix_ = static_cast<unsigned>(*prefix);
    }
    for (unsigned i = network.prefix_; i < bits.count; ++i) {
        if (bits.at(i)) return bad("there are bits set behind the prefix");
    }
    return network;
}

bool Network::contains(const boost::asio::ip::address& address) const {
    if (address.is_v4() != address_.is_v4()) return false;
    const Bits mine = bits_of(address_);
    const Bits theirs = bits_of(address);
    for (unsigned i = 0; i < prefix_; ++i) {
        if (mine.at(i) != theirs.at(i)) return false;
    }
    return true;
}

std::string Network::to_text() const {
    return fmt::format("{}/{}", address_.to_string(), prefix_);
}

}  // namespace smtp_bridge
