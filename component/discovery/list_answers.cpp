#include "component/discovery/list_answers.hpp"

#include <algorithm>

#include <boost/asio/ip/network_v4.hpp>

namespace component {
namespace {

using base::Errc;

constexpr std::uint32_t kLoopback = 0x7F00'0000;
constexpr std::uint32_t kLoopbackMask = 0xFF00'0000;
constexpr std::uint32_t kErrors = 0x7FFF'FF00;
constexpr std::uint32_t kErrorsMask = 0xFFFF'FF00;
constexpr std::uint32_t kRefused = 0x7F00'0001;

bool is_loopback(std::uint32_t address) {
    return (address & kLoopbackMask) == kLoopback;
}
bool is_error(std::uint32_t address) {
    return (address & kErrorsMask) == kErrors;
}

}  // namespace

base::Result<ListAnswers::Network> ListAnswers::parse_network(const std::string& word) {
    namespace ip = boost::asio::ip;
    boost::system::error_code error;
    const bool is_one = word.find('/') == std::string::npos;
    const auto network = ip::make_network_v4(is_one ? word + "/32" : word, error);
    if (error || network != network.canonical())
        return base::fail(Errc::syntax, "\"" + word +
                                            "\" is no address such as 127.0.0.2, and no "
                                            "network such as 127.0.1.0/24");
    const Network parsed{network.network().to_uint(), network.netmask().to_uint()};
    if (!is_loopback(parsed.address) || (parsed.mask & kLoopbackMask) != kLoopbackMask ||
        is_error(parsed.address))
        return base::fail(Errc::syntax, word +
                                            " lists nothing: it has to be in 127.0.0.0/8, and "
                                            "not in 127.255.255.0/24");
    return parsed;
}

base::Result<ListAnswers> ListAnswers::parse(const std::vector<std::string>& words) {
    ListAnswers answers;
    for (const std::string& word : words) {
        const auto network = parse_network(word);
        if (!network) return network.error();
        answers.networks_.push_back(*network);
    }
    return answers;
}

bool ListAnswers::lists(std::uint32_t address) const {
    if (networks_.empty()) return is_loopback(address) && address != kRefused;
    return std::ranges::any_of(networks_,
                               [address](const Network& each) { return each.contains(address); });
}

ListAnswers::Meaning ListAnswers::of(const std::vector<std::uint32_t>& addresses) const {
    const auto is_fault = [this](std::uint32_t address) {
        return is_error(address) || (address == kRefused && !lists(address));
    };
    if (std::ranges::any_of(addresses, is_fault)) return Meaning::fault;
    const auto lists_it = [this](std::uint32_t address) { return lists(address); };
    return std::ranges::any_of(addresses, lists_it) ? Meaning::listed : Meaning::absent;
}

}  // namespace component
