// Discovery: what the sign of life of somebody is worth who is no known component.
#include "component/discovery/discovery.hpp"
#include "mail/public_suffix.hpp"

namespace component {
namespace {

constexpr std::size_t kParents = 5;  // of a component's name that may be the domain it is for

/// The names that `component` could be a component of by its own name: itself, and those above it
/// that are of the same organisation.
std::vector<mail::Domain> own_names(const std::string& component) {
    std::vector<mail::Domain> names;
    const auto whole = mail::Domain::parse(component);
    if (!whole || whole->is_address_literal()) return names;
    names.push_back(*whole);
    std::string_view rest = whole->ascii();
    while (names.size() <= kParents && rest.find('.') != std::string_view::npos) {
        rest.remove_prefix(rest.find('.') + 1);
        auto parent = mail::Domain::parse(rest);
        if (!parent || !mail::is_own_subdomain(*whole, *parent)) break;
        names.push_back(std::move(*parent));
    }
    return names;
}

}  // namespace

std::vector<mail::Domain> Discovery::may_return(const std::string& component) const {
    std::vector<mail::Domain> domains = former_.domains_of(component);
    for (auto& name : own_names(component)) {
        const KnownDomain* const entry = known_.find(name);
        // Only what mail of ours, or somebody's who speaks for it, has made us ask for: nobody's
        // word makes us ask for more.
        const bool is_asked_for = entry != nullptr && !entry->hearsay && !is_ours(name);
        // One that is down is looked at with its component; but it may have another by now.
        if (is_asked_for && entry->state != Found::State::supported &&
            entry->component != component)
            domains.push_back(std::move(name));
    }
    return domains;
}

bool Discovery::heeds(const std::string& component) const {
    return knows(component) || former_.knows(component) || !may_return(component).empty();
}

}  // namespace component
