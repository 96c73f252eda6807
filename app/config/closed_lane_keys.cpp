#include "app/config/closed_lane_keys.hpp"

#include "app/config/values.hpp"

#include <utility>

namespace app {
namespace {

using smtp_bridge::ClosedLaneMode;

constexpr std::pair<const char*, ClosedLaneMode> kClosedLaneModes[] = {
    {"off", ClosedLaneMode::off},
    {"log", ClosedLaneMode::log},
    {"mark", ClosedLaneMode::mark},
    {"reject", ClosedLaneMode::reject}};

std::optional<ClosedLaneMode> parse_closed_lane_mode(const std::string& word) {
    for (const auto& [name, mode] : kClosedLaneModes) {
        if (word == name) return mode;
    }
    return std::nullopt;
}

std::optional<Fault> read_networks(const Section& section, const char* key,
                                   smtp_bridge::ClosedLaneSettings& settings) {
    if (!section.has(key)) return std::nullopt;
    for (const std::string& word : section.get<Words>(key).value) {
        const auto network = smtp_bridge::Network::parse(word);
        if (!network) return Fault{key, std::string(key) + ": " + network.error().text};
        settings.exempt_networks.push_back(*network);
    }
    return std::nullopt;
}

std::optional<Fault> read_exempt(const Section& section,
                                 smtp_bridge::ClosedLaneSettings& settings) {
    if (!section.has("exempt")) return std::nullopt;
    for (const std::string& word : section.get<Words>("exempt").value) {
        const auto domain = mail::Domain::parse(word);
        if (!domain || domain->is_address_literal())
            return Fault{"exempt", "exempt: \"" + word + "\" is not a domain"};
        settings.exempt.insert(domain->ascii());
    }
    return std::nullopt;
}

}  // namespace

std::optional<Fault> read_closed_lane(const Section& section,
                                      smtp_bridge::ClosedLaneSettings& settings) {
    const std::string& word = section.get<Text>("closed-lane").value;
    const auto mode = parse_closed_lane_mode(word);
    if (!mode)
        return Fault{"closed-lane", "\"" + word +
                                        "\" is no good value for closed-lane: one of "
                                        "off, log, mark, reject"};
    settings.mode = *mode;
    for (const char* const key : {"networks", "backup-mx"}) {
        if (auto fault = read_networks(section, key, settings)) return fault;
    }
    if (auto fault = read_exempt(section, settings)) return fault;
    if (section.has("mark-token")) {
        auto token = smtp_bridge::parse_mark_token(section.get<Text>("mark-token").value);
        if (!token) return Fault{"mark-token", "mark-token " + token.error().text};
        settings.mark_token = std::move(*token);
    }
    if (settings.mode == ClosedLaneMode::mark && settings.mark_token.empty())
        return Fault{"closed-lane",
                     "closed-lane = mark needs a mark-token, or anybody could write the "
                     "field that filters are to believe"};
    return std::nullopt;
}

}  // namespace app
