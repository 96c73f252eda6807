#include "app/config/promise_section.hpp"

#include "app/config/values.hpp"

#include <algorithm>
#include <chrono>

namespace app {

std::optional<Fault> read_promise(const Section& section,
                                  const std::vector<component::ComponentSettings>& components,
                                  Promised& promised) {
    const std::uint64_t days = section.get<Size>("days").value;
    constexpr std::uint64_t kMostDays = 14;  // protocol, "The Closed Lane"
    if (days < 1 || days > kMostDays) return Fault{"days", "days: 1 to 14"};
    for (const std::string& word : section.get<Words>("domains").value) {
        auto domain = mail::Domain::parse(word);
        if (!domain) return Fault{"domains", "domains: " + domain.error().text};
        const std::string name = domain->ascii();
        const auto component = std::ranges::find_if(components, [&](const auto& each) {
            return std::ranges::find(each.domains, *domain) != each.domains.end();
        });
        if (component == components.end())
            return Fault{"domains", name +
                                        " is served by no component here: only such a domain can "
                                        "be promised"};
        if (component->assurance != component::Assurance::pkix)
            return Fault{"domains", name +
                                        ": a promise counts only over links with s2s-assurance = "
                                        "pkix, and [component " +
                                        component->jid + "] has another"};
        auto& terms = promised[component->jid];
        terms.lasts = std::chrono::hours(24 * days);
        if (!terms.domains.insert(std::move(*domain)).second)
            return Fault{"domains", name + " stands here twice"};
    }
    return std::nullopt;
}

std::optional<Fault> breaks_promise(const Section& domain) {
    const bool falls_back = domain.has("fallback-after");
    const bool prefers = domain.has("policy") && domain.get<Text>("policy").value == "prefer";
    if (!falls_back && !prefers) return std::nullopt;
    return Fault{falls_back ? "fallback-after" : "policy",
                 "[domain " + domain.name +
                     "] may go by SMTP, and [promise] says that nothing does: take one of them "
                     "out"};
}

}  // namespace app
