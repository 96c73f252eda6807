#include "app/config/list_sections.hpp"

#include "app/config/values.hpp"
#include "mail/domain.hpp"

#include <algorithm>
#include <utility>

namespace app {
namespace {

using queue::PeerClass;

/// What a file makes of a domain.
constexpr std::pair<const char*, PeerClass> kFileKeys[] = {
    {"block", PeerClass::blocked}, {"limit", PeerClass::limited}, {"allow", PeerClass::trusted}};
/// What a list that others keep does: praise of theirs is not our trust.
constexpr std::pair<std::string_view, PeerClass> kMeanings[] = {
    {"block", PeerClass::blocked}, {"limit", PeerClass::limited}, {"allow", PeerClass::good}};

}  // namespace

std::optional<Fault> ListSections::add(const Section& section) {
    return section.kind == "lists" ? add_files(section) : add_dns(section);
}

std::optional<Fault> ListSections::add_files(const Section& section) {
    for (const auto& [key, makes] : kFileKeys) {
        if (!section.has(key)) continue;
        for (const std::string& word : section.get<Words>(key).value) {
            const bool is_twice = std::ranges::any_of(
                files_, [&word](const auto& file) { return file.path == word; });
            if (is_twice) return Fault{key, std::string(key) + ": " + word + " is named twice"};
            files_.push_back({makes, word});
        }
        if (files_.size() > kFiles) return Fault{key, std::string(key) + ": at most 16 files"};
    }
    return std::nullopt;
}

std::optional<Fault> ListSections::add_dns(const Section& section) {
    component::DnsListSettings settings;
    const auto zone = mail::Domain::parse(section.name);
    if (!zone || zone->is_address_literal())
        return Fault{"", "[dns-list " + section.name + "]: not a domain"};
    settings.zone = zone->ascii();
    // In another spelling, perhaps.
    if (std::ranges::find(dns_, settings.zone, &component::DnsListSettings::zone) != dns_.end())
        return Fault{"", "[dns-list " + section.name + "] stands here a second time"};
    if (dns_.size() == kDnsLists) return Fault{"", "at most 8 sections [dns-list ...]"};

    const std::string& word = section.get<Text>("meaning").value;
    const auto* const meaning =
        std::ranges::find(kMeanings, word, &std::pair<std::string_view, PeerClass>::first);
    if (meaning == std::end(kMeanings))
        return Fault{"meaning",
                     "\"" + word + "\" is no good value for meaning: one of allow, block, limit"};
    settings.makes = meaning->second;

    if (section.has("answers")) {
        auto answers = component::ListAnswers::parse(section.get<Words>("answers").value);
        if (!answers) return Fault{"answers", "answers: " + answers.error().text};
        settings.answers = std::move(*answers);
    }
    if (section.has("test-entry")) {
        const auto test = mail::Domain::parse(section.get<Text>("test-entry").value);
        if (!test || test->is_address_literal())
            return Fault{"test-entry", "test-entry: not a domain"};
        settings.test = test->ascii();
    }
    dns_.push_back(std::move(settings));
    return std::nullopt;
}

}  // namespace app
