#include "queue/peer_lists.hpp"

#include "mail/organisation.hpp"

#include <algorithm>
#include <utility>

namespace queue {
namespace {

/// What counts first is least.
int rank(PeerClass makes) {
    if (makes == PeerClass::blocked) return 0;
    return makes == PeerClass::limited ? 1 : 2;
}

/// Whether it holds for what is below a registrable domain that is on the list.
bool holds_below(PeerClass makes) {
    return makes == PeerClass::blocked || makes == PeerClass::limited;
}

}  // namespace

void PeerLists::use_files(std::vector<File> files) {
    std::ranges::stable_sort(files, {}, [](const File& file) { return rank(file.makes); });
    const std::lock_guard lock(mutex_);
    files_ = std::move(files);
    is_empty_ = files_.empty() && zones_.empty();
}

std::optional<Listing> PeerLists::find_in_files(const mail::Domain& domain) const {
    if (is_empty_) return std::nullopt;
    const mail::Organisation whose = mail::Organisation::of(domain.ascii());
    std::optional<mail::Domain> above;
    if (whose.name() != domain.ascii()) {
        if (auto parsed = mail::Domain::parse(whose.name())) above = std::move(*parsed);
    }
    const std::lock_guard lock(mutex_);
    for (const File& file : files_) {
        const bool is_named = file.domains->names(domain) ||
                              (above && holds_below(file.makes) && file.domains->names(*above));
        if (is_named) return Listing{file.makes, "list " + file.name};
    }
    return std::nullopt;
}

std::optional<Listing> PeerLists::find(const mail::Domain& domain) const {
    if (is_empty_) return std::nullopt;
    if (auto listing = find_in_files(domain)) return listing;
    const mail::Organisation whole = mail::Organisation::of(domain.ascii());
    return find_in_dns(domain.ascii(), whole.name());
}

std::optional<Listing> PeerLists::find_in_dns(const std::string& name,
                                              std::string_view whole) const {
    std::optional<Listing> found;
    const auto now = clock_.steady();
    const std::lock_guard lock(mutex_);
    for (const auto& [zone, answers] : zones_) {
        for (const std::string& asked : {name, std::string(whole)}) {
            const Answer* const answer = answers.find(asked, now);
            if (answer == nullptr || !answer->makes) continue;
            if (asked != name && !holds_below(*answer->makes)) continue;
            // What is refused for good is so on a word that still counts.
            if (answer->makes == PeerClass::blocked && now >= answer->fresh_until) continue;
            if (!found || rank(*answer->makes) < rank(found->makes))
                found = Listing{*answer->makes, "dns-list " + zone};
        }
    }
    return found;
}

void PeerLists::heard(const std::string& zone, const std::string& name,
                      std::optional<PeerClass> makes, base::SteadyPoint fresh_until,
                      base::SteadyPoint until) {
    const std::lock_guard lock(mutex_);
    const auto answers = zones_.try_emplace(zone, kAnswers).first;
    answers->second.put(name, {makes, fresh_until}, until);
    is_empty_ = false;
}

bool PeerLists::is_fresh(const std::string& zone, const std::string& name) const {
    const auto now = clock_.steady();
    const std::lock_guard lock(mutex_);
    const auto answers = zones_.find(zone);
    if (answers == zones_.end()) return false;
    const Answer* const answer = answers->second.find(name, now);
    return answer != nullptr && now < answer->fresh_until;
}

void PeerLists::forget(const std::string& zone) {
    const std::lock_guard lock(mutex_);
    zones_.erase(zone);
    is_empty_ = files_.empty() && zones_.empty();
}

}  // namespace queue
