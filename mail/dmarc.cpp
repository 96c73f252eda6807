#include "mail/dmarc.hpp"

#include "base/text.hpp"
#include "mail/public_suffix.hpp"

#include <algorithm>

namespace mail {
namespace {

constexpr std::size_t kLongWalk = 7;  // labels of all names but the first; RFC 9989 4.10

std::size_t labels_of(std::string_view name) {
    return static_cast<std::size_t>(std::ranges::count(name, '.')) + 1;
}

/// Without its left-most label; empty if it has but one.
std::string_view parent_of(std::string_view name) {
    const std::size_t dot = name.find('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

/// The name one label below `parent` on the way to `name`, which is below it.
std::string_view child_towards(std::string_view name, std::string_view parent) {
    while (parent_of(name) != parent)
        name = parent_of(name);
    return name;
}

/// A suffix of a domain, which is one, too.
Domain to_domain(std::string_view name, const Domain& otherwise) {
    auto parsed = Domain::parse_loosely(name);
    if (parsed) return std::move(*parsed);
    return otherwise;
}

struct Tag {
    std::string_view name;
    std::string_view value;
};

/// Takes the first of `tags`, up to its semicolon.
Tag take_tag(std::string_view& tags) {
    const std::size_t end = tags.find(';');
    const std::string_view text = tags.substr(0, end);
    tags = end == std::string_view::npos ? std::string_view() : tags.substr(end + 1);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return {};
    return {base::trim(text.substr(0, equals)), base::trim(text.substr(equals + 1))};
}

/// The value of a tag that may be there once.
class OnlyValue {
  public:
    explicit OnlyValue(std::string_view name) : name_(name) {}
    void look_at(const Tag& tag) {
        if (!base::iequals(tag.name, name_)) return;
        value_ = seen_ ? std::string_view() : tag.value;
        seen_ = true;
    }
    bool is(std::string_view value) const { return base::iequals(value_, value); }

  private:
    std::string_view name_;
    std::string_view value_;
    bool seen_ = false;
};

/// What answers to a walk come to, from the longest name to the shortest.
struct Walk {
    /// By a psd tag, the organisation, or (where not all is known) what it can't be a parent of.
    std::optional<std::string> border{};
    std::optional<std::size_t> suffix{};    ///< where psd=y was found
    std::optional<std::size_t> shortest{};  ///< of the names with a record
    bool all_known = true;                  ///< of what counts

    Walk(const std::vector<std::string>& names, const std::vector<DmarcAnswer>& answers) {
        for (std::size_t i = 0; i < names.size() && !border; ++i) {
            if (i >= answers.size() || !answers[i].known) {
                all_known = false;
            } else if (answers[i].record) {
                take(names, i, answers[i].record->psd);
            }
        }
    }

  private:
    void take(const std::vector<std::string>& names, std::size_t i, DmarcRecord::Psd psd) {
        shortest = i;
        if (psd == DmarcRecord::Psd::unsaid) return;
        const bool is_suffix = psd == DmarcRecord::Psd::yes && i > 0;
        if (is_suffix) suffix = i;
        border = is_suffix ? child_towards(names.front(), names[i]) : names[i];
    }
};

}  // namespace

std::optional<DmarcRecord> DmarcRecord::parse(std::string_view text) {
    const Tag version = take_tag(text);
    if (!base::iequals(version.name, "v") || version.value != "DMARC1") return std::nullopt;
    OnlyValue psd("psd");
    OnlyValue adkim("adkim");
    OnlyValue aspf("aspf");
    while (!text.empty()) {
        const Tag tag = take_tag(text);
        for (OnlyValue* const known : {&psd, &adkim, &aspf})
            known->look_at(tag);
    }
    DmarcRecord record;
    if (psd.is("y")) record.psd = Psd::yes;
    if (psd.is("n")) record.psd = Psd::no;
    record.strict_dkim = adkim.is("s");
    record.strict_spf = aspf.is("s");
    return record;
}

std::optional<DmarcRecord> DmarcRecord::only_one(const std::vector<std::string>& texts) {
    std::optional<DmarcRecord> only;
    for (const auto& text : texts) {
        const auto record = parse(text);
        if (!record) continue;
        if (only) return std::nullopt;
        only = record;
    }
    return only;
}

std::vector<std::string> dmarc_walk(const Domain& domain) {
    std::vector<std::string> names;
    if (domain.is_address_literal()) return names;
    names.reserve(kLongWalk + 1);
    names.push_back(domain.ascii());
    std::string_view name = parent_of(names.front());
    std::size_t labels = labels_of(name);
    for (; labels > kLongWalk; --labels)
        name = parent_of(name);
    for (; !name.empty(); name = parent_of(name))
        names.emplace_back(name);
    return names;
}

DomainOwner DomainOwner::by_public_suffix(Domain domain) {
    Domain organisation = organizational_domain(domain);
    DomainOwner owner{std::move(domain), std::move(organisation)};
    owner.is_sure = false;
    return owner;
}

Domain DomainOwner::listed() const {
    Domain by_list = organizational_domain(domain);
    return border && border->ascii().size() > by_list.ascii().size() ? *border : by_list;
}

bool DomainOwner::is_of_same_organisation(const DomainOwner& other) const {
    // What two methods say of two domains can't be compared.
    return is_sure && other.is_sure ? organisation == other.organisation
                                    : listed() == other.listed();
}

DomainOwner DomainOwner::by_walk(const Domain& domain, const std::vector<DmarcAnswer>& answers) {
    const auto names = dmarc_walk(domain);
    const Walk walk(names, answers);
    DomainOwner owner = by_public_suffix(domain);
    owner.is_sure = walk.all_known;
    if (walk.border) owner.border = to_domain(*walk.border, domain);
    if (!owner.is_sure) {
        owner.organisation = owner.listed();
    } else if (owner.border) {
        owner.organisation = *owner.border;
    } else if (walk.shortest) {
        owner.organisation = to_domain(names[*walk.shortest], domain);
    }

    // RFC 9989 4.10.1. Which of them it is cannot be said if the first is not known.
    const auto has_record = [&](std::size_t i) { return i < answers.size() && answers[i].record; };
    if (answers.empty() || !answers.front().known) return owner;
    const auto organisation = std::ranges::find(names, owner.organisation.ascii());
    std::optional<std::size_t> place = walk.suffix;
    if (organisation != names.end()) {
        const auto i = static_cast<std::size_t>(organisation - names.begin());
        if (has_record(i)) place = i;
    }
    if (has_record(0)) place = 0;
    if (!place) return owner;
    owner.policy_domain = to_domain(names[*place], domain);
    owner.strict_dkim = answers[*place].record->strict_dkim;
    owner.strict_spf = answers[*place].record->strict_spf;
    return owner;
}

}  // namespace mail
