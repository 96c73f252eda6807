#include "queue/domain_list.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <utility>

namespace queue {
namespace {

using base::Errc;

void put_in_order(std::vector<std::string>& domains) {
    std::ranges::sort(domains);
    domains.erase(std::unique(domains.begin(), domains.end()), domains.end());
}

bool contains(const std::vector<std::string>& domains, std::string_view name) {
    const auto found = std::ranges::lower_bound(domains, name);
    return found != domains.end() && *found == name;
}

/// Without the comment, the white space and the end of a line of Windows'.
std::string_view entry_of(std::string_view line) {
    line = line.substr(0, line.find('#'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return base::trim(line);
}

}  // namespace

base::Result<void> DomainList::add(std::string_view entry) {
    const bool with_all_below = entry.starts_with('.') || entry.starts_with("*.");
    if (with_all_below) entry.remove_prefix(entry.find('.') + 1);
    const auto domain = mail::Domain::parse(entry);
    if (!domain) return domain.error();
    if (domain->is_address_literal()) return base::fail(Errc::syntax, "not a domain name");
    (with_all_below ? whole_ : exact_).push_back(domain->ascii());
    return {};
}

base::Result<DomainList> DomainList::parse(std::string_view text) {
    DomainList list;
    std::size_t number = 0;
    const auto at_line = [&number](Errc code, const std::string& what) {
        return base::fail(code, std::to_string(number) + ": " + what);
    };
    if (text.size() > kBytes) return at_line(Errc::limit, "the file is larger than 4 MB");
    while (!text.empty()) {
        ++number;
        if (number > kLines) return at_line(Errc::limit, "more than 100000 lines");
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view entry = entry_of(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (entry.empty()) continue;
        if (const auto added = list.add(entry); !added)
            return at_line(added.error().code, added.error().text);
    }
    put_in_order(list.exact_);
    put_in_order(list.whole_);
    return list;
}

bool DomainList::names(const mail::Domain& domain) const {
    std::string_view name = domain.ascii();
    if (contains(exact_, name)) return true;
    if (whole_.empty() || domain.is_address_literal()) return false;
    for (;;) {
        if (contains(whole_, name)) return true;
        const std::size_t dot = name.find('.');
        if (dot == std::string_view::npos) return false;
        name.remove_prefix(dot + 1);
    }
}

}  // namespace queue
