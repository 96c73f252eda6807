#include "app/config/class_sections.hpp"

#include "app/config/values.hpp"

#include <array>
#include <chrono>
#include <string>

namespace app {
namespace {

/// In the order of component::PeerCount.
constexpr std::array kOfOne{"messages-per-hour", "recipients-per-hour", "bytes-per-hour"};
constexpr std::array kOfAll{"all-messages-per-hour", "all-recipients-per-hour",
                            "all-bytes-per-hour"};
/// What may come at once is to be less than a day's.
constexpr auto kLongestBurstOfClass = std::chrono::hours(24);

template <class Keys>
std::optional<Fault> read_rates(const Section& section, const Keys& keys,
                                component::PeerRates& rates) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const char* const key = keys.at(i);
        if (!section.has(key)) continue;
        rates.at(i) = section.get<Limit>(key).value;
        if (rates.at(i) == 0u) return Fault{key, std::string(key) + ": at least 1, or none"};
    }
    return std::nullopt;
}

std::optional<component::Assurance> parse_assurance(const std::string& word) {
    using component::Assurance;
    for (const Assurance each : {Assurance::pkix, Assurance::dialback, Assurance::none}) {
        if (word == to_text(each)) return each;
    }
    return std::nullopt;
}

}  // namespace

std::optional<Fault> ClassSections::add(const Section& section) {
    const auto peer_class = queue::parse_class(section.name);
    if (!peer_class) return Fault{"", "[class " + section.name + "]: " + peer_class.error().text};
    if (!said_.insert(*peer_class).second)
        return Fault{"", "[class " + section.name + "] stands here a second time"};
    component::ClassRule rule = rules_.of(*peer_class);
    if (auto fault = read_rates(section, kOfOne, rule.an_hour)) return fault;
    if (auto fault = read_rates(section, kOfAll, rule.an_hour_of_all)) return fault;
    if (section.has("burst")) rule.burst = section.get<Duration>("burst").value;
    if (rule.burst > kLongestBurstOfClass) return Fault{"burst", "burst: at most 24h"};
    if (section.has("max-size")) rule.max_size = section.get<Limit>("max-size").value;
    if (rule.max_size == 0u) return Fault{"max-size", "max-size: at least 1, or none"};
    if (section.has("refuse")) rule.refuse = section.get<Switch>("refuse").value;
    if (section.has("assurance")) {
        const std::string& word = section.get<Text>("assurance").value;
        const auto assurance = parse_assurance(word);
        if (!assurance)
            return Fault{"assurance", "\"" + word +
                                          "\" is no good value for assurance: one of dialback, "
                                          "none, pkix"};
        rule.assurance = *assurance;
    }
    rules_.set(*peer_class, rule);
    return std::nullopt;
}

}  // namespace app
