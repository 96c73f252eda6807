// DMARC's records and walk: whatever a zone says, the organisation is the domain or a parent of it,
// and a policy comes from a name that was asked about. The first line is the domain, each other one
// what the DNS has for the next name of its walk: nothing, a text, or `-` if it does not answer.
#include "mail/dmarc.hpp"

#include "fuzz/fuzz.hpp"

#include <algorithm>

using namespace mail;
using fuzz::check;

namespace {

std::string_view take_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    return line;
}

void check_record(const std::string& text) {
    const auto record = DmarcRecord::parse(text);
    check(DmarcRecord::only_one({text}) == record, "one record is the only one");
    check(!DmarcRecord::only_one({text, text}), "two are none");
    check(DmarcRecord::parse(text + ";x=y") == record, "an unknown tag changes nothing");
}

void check_owner(const Domain& domain, const std::vector<DmarcAnswer>& answers) {
    const auto names = dmarc_walk(domain);
    check(names.size() <= 8, "eight names are asked about at most");
    for (std::size_t i = 1; i < names.size(); ++i)
        check(names[i - 1].ends_with("." + names[i]), "the walk goes up");
    const auto owner = DomainOwner::by_walk(domain, answers);
    check(owner.domain == domain, "the owner is the domain's");
    check(owner.organisation == domain || domain.is_subdomain_of(owner.organisation),
          "a domain is of its own organisation");
    check(owner.policy_domain || (!owner.strict_dkim && !owner.strict_spf),
          "without a policy nothing is strict");
    check(!owner.policy_domain ||
              std::ranges::find(names, owner.policy_domain->ascii()) != names.end(),
          "the policy was found where it was looked for");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto input = fuzz::text_of(data, size);
    const auto domain = Domain::parse(take_line(input));
    std::vector<DmarcAnswer> answers;
    while (!input.empty() && answers.size() < 10) {
        const std::string text(take_line(input));
        check_record(text);
        answers.push_back({text != "-", DmarcRecord::parse(text)});
    }
    if (domain) check_owner(*domain, answers);
    return 0;
}
