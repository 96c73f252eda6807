#include "app/config/sender_sections.hpp"

#include "app/config/values.hpp"
#include "mail/domain.hpp"

#include <array>
#include <utility>

namespace app {
namespace {

/// In the order of queue::Counted.
constexpr std::array kAnHour{"messages-per-hour", "recipients-per-hour",
                             "unknown-recipients-per-hour"};
/// What may come at once is to be less than a day's.
constexpr auto kLongestBurst = std::chrono::hours(24);

std::optional<queue::Beyond> parse_beyond(const std::string& word) {
    using queue::Beyond;
    for (const Beyond each : {Beyond::log, Beyond::hold, Beyond::refuse}) {
        if (word == to_text(each)) return each;
    }
    return std::nullopt;
}

}  // namespace

std::optional<Fault> SenderSections::add(const Section& section) {
    Said said;
    if (auto fault = read(section, said)) return fault;
    if (section.kind == "senders") {
        usual_ = said;
        return add_exempt(section);
    }
    // In another spelling, perhaps.
    if (special_.emplace(queue::sender_name(section.name), said).second) return std::nullopt;
    return Fault{"", "[sender " + section.name + "] stands here a second time"};
}

std::optional<Fault> SenderSections::read(const Section& section, Said& said) {
    for (std::size_t i = 0; i < kAnHour.size(); ++i) {
        if (!section.has(kAnHour.at(i))) continue;
        said.an_hour.at(i) = section.get<Size>(kAnHour.at(i)).value;
        if (said.an_hour.at(i) == 0)
            return Fault{kAnHour.at(i), std::string(kAnHour.at(i)) + ": at least 1"};
    }
    if (section.has("burst")) said.burst = section.get<Duration>("burst").value;
    if (said.burst && *said.burst > kLongestBurst) return Fault{"burst", "burst: at most 24h"};
    if (!section.has("beyond")) return std::nullopt;
    const std::string& word = section.get<Text>("beyond").value;
    said.beyond = parse_beyond(word);
    if (said.beyond) return std::nullopt;
    return Fault{"beyond",
                 "\"" + word + "\" is no good value for beyond: one of hold, log, refuse"};
}

std::optional<Fault> SenderSections::add_exempt(const Section& section) {
    if (!section.has("exempt")) return std::nullopt;
    for (const std::string& word : section.get<Words>("exempt").value) {
        if (word.front() == '@')
            return Fault{"exempt", "exempt: a domain is written without the @: " + word.substr(1)};
        // A word without a dot may be a login, too, and one that is not ASCII is spelled otherwise.
        if (const auto domain = mail::Domain::parse(word)) exempt_.insert(domain->ascii());
        exempt_.insert(queue::sender_name(word));
    }
    return std::nullopt;
}

queue::SenderRule SenderSections::rule(const Said& said, queue::SenderRule usual) {
    for (std::size_t i = 0; i < said.an_hour.size(); ++i) {
        if (said.an_hour.at(i)) usual.an_hour.at(i) = said.an_hour.at(i);
    }
    usual.burst = said.burst.value_or(usual.burst);
    usual.beyond = said.beyond.value_or(usual.beyond);
    return usual;
}

queue::SenderLimits SenderSections::limits() const {
    const queue::SenderRule usual = rule(usual_, {});
    std::map<std::string, queue::SenderRule> special;
    for (const auto& [name, said] : special_) {
        queue::SenderRule otherwise = usual;
        if (name.starts_with('@')) otherwise.an_hour = {};
        special.emplace(name, rule(said, otherwise));
    }
    return {usual, std::move(special), exempt_};
}

}  // namespace app
