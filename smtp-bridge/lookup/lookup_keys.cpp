#include "smtp-bridge/lookup/lookup_keys.hpp"

#include "base/text.hpp"
#include "mail/domain.hpp"

namespace smtp_bridge {
namespace {

constexpr std::size_t kMixed = 2;  // labels: each doubles the keys

}  // namespace

std::vector<std::string> lookup_keys(std::string_view domain) {
    std::vector<std::string> keys{std::string(domain)};
    const auto parsed = mail::Domain::parse(domain);
    if (!parsed) return keys;
    const std::string in_u_labels = parsed->domainpart();
    if (in_u_labels == domain) return keys;
    const auto a_labels = base::split(domain, ".");
    const auto u_labels = base::split(in_u_labels, ".");
    std::size_t differ = 0;
    for (std::size_t i = 0; i < a_labels.size(); ++i)
        differ += a_labels[i] == u_labels.at(i) ? 0 : 1;
    if (differ > kMixed) return {std::string(domain), in_u_labels};
    keys = {std::string()};
    for (std::size_t i = 0; i < a_labels.size(); ++i) {
        std::vector<std::string> longer;
        for (const auto& key : keys) {
            const std::string before = i == 0 ? key : key + '.';
            longer.push_back(before + std::string(a_labels[i]));
            if (a_labels[i] != u_labels[i]) longer.push_back(before + std::string(u_labels[i]));
        }
        keys = std::move(longer);
    }
    return keys;
}

}  // namespace smtp_bridge
