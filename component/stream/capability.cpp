#include "component/stream/capability.hpp"

#include "base/text.hpp"
#include "component/stream/stanza.hpp"
#include "component/xml/jid.hpp"
#include "component/xml/namespaces.hpp"
#include "mail/public_suffix.hpp"

#include <algorithm>

namespace component {
namespace {

constexpr std::size_t kValues = 1000;                       // of one field that are read
constexpr std::size_t kPromised = 100;                      // domains of one component
constexpr std::uint64_t kLargest = std::uint64_t(1) << 40;  // the schema's octetsType

/// A form's field, whatever type it claims: XEP-0004 3.2 lets a result leave the type out, and
/// gloox then drops all values.
const gloox::Tag* find_field(const gloox::Tag& form, std::string_view name) {
    for (const auto* child : form.children()) {
        if (child->name() == "field" && child->findAttribute("var") == name) return child;
    }
    return nullptr;
}

std::vector<std::string> values_of(const gloox::Tag& form, std::string_view name) {
    std::vector<std::string> values;
    const auto* field = find_field(form, name);
    if (field == nullptr) return values;
    for (const auto* child : field->children()) {
        if (values.size() >= kValues) break;
        if (child->name() == "value") values.push_back(child->cdata());
    }
    return values;
}

std::string value_of(const gloox::Tag& form, std::string_view name) {
    auto values = values_of(form, name);
    return values.empty() ? std::string() : std::move(values.front());
}

/// Absurd values are brought within [least, most]; what is no number leaves `value` as it is.
template <class T>
void read_number(const gloox::Tag& form, std::string_view name, T& value, std::uint64_t least,
                 std::uint64_t most) {
    const auto number = base::parse_number(value_of(form, name), kLargest);
    if (number) value = static_cast<T>(std::clamp(*number, least, most));
}

/// Exact domains that it serves itself, and a date; what is malformed is no promise, and the rest
/// of the form counts.
void read_promise(const gloox::Tag& form, Capability& capability) {
    const auto until = base::parse_datetime(value_of(form, "promise-until"));
    if (!until) return;
    auto values = values_of(form, "promise");
    values.resize(std::min(values.size(), kPromised));
    for (const auto& value : values) {
        auto domain = mail::Domain::parse(value);
        if (domain && capability.serves(*domain)) capability.promised.push_back(std::move(*domain));
    }
    capability.promised_until = *until;
}

Capability read_form(const gloox::Tag& form) {
    namespace limits = base::limits;
    Capability capability;
    for (const auto& value : values_of(form, "domains")) {
        if (auto domain = mail::Domain::parse(value))
            capability.domains.push_back(std::move(*domain));
    }
    // A peer that wants less than RFC 6120 13.12 allows would make us spread mail over countless
    // stanzas.
    read_number(form, "max-stanza", capability.max_stanza, limits::kStanzaUnknown, limits::kStanza);
    read_number(form, "max-size", capability.max_size, 1, kLargest);
    read_number(form, "max-recipients", capability.max_recipients, 1, limits::kBatchRecipients);
    read_number(form, "max-batch", capability.max_batch, 1, limits::kBatch);
    read_number(form, "window", capability.window, 1, limits::kBlock);
    std::int64_t retention = capability.retention.count();
    read_number(form, "retention", retention, 3600, 366L * 86400);
    capability.retention = std::chrono::seconds(retention);
    const auto extensions = values_of(form, "extensions");
    const auto has = [&](std::string_view name) {
        return std::ranges::find(extensions, name) != extensions.end();
    };
    capability.eight_bit_mime = has("8bitmime");
    capability.smtputf8 = has("smtputf8");
    capability.dsn = has("dsn");
    capability.requiretls = has("requiretls");
    capability.report = has("report");
    capability.complaint = has("complaint");
    capability.mirror = has("mirror");
    read_promise(form, capability);
    return capability;
}

}  // namespace

bool Capability::serves(const mail::Domain& domain) const {
    return std::ranges::find(domains, domain) != domains.end();
}

std::optional<base::TimePoint> Capability::promise_for(const mail::Domain& domain) const {
    if (std::ranges::find(promised, domain) == promised.end()) return std::nullopt;
    return promised_until;
}

void Capability::drop_domains() {
    domains.clear();
    promised.clear();
}

PeerInfo read_disco_info(const gloox::Tag& iq) {
    PeerInfo info;
    const auto* query = find_child(iq, "query", ns::kDiscoInfo);
    if (query == nullptr) return info;
    bool has_feature = false;
    for (const auto* child : query->children()) {
        if (child->name() == "feature" && child->findAttribute("var") == ns::kMailTransfer)
            has_feature = true;
    }
    for (const auto* child : query->children()) {
        if (child->name() != "x" || child->xmlns() != ns::kData) continue;
        const auto type = value_of(*child, "FORM_TYPE");
        if (type == ns::kMailTransfer && has_feature && !info.capability) {
            info.capability = read_form(*child);
        } else if (type == ns::kServerInfo && !info.mail_addresses &&
                   find_field(*child, "mail-transfer-addresses") != nullptr) {
            info.mail_addresses.emplace();
            for (const auto& value : values_of(*child, "mail-transfer-addresses")) {
                const auto jid = Jid::parse(value);
                if (jid && jid->is_domain()) info.mail_addresses->push_back(jid->domain());
                if (info.mail_addresses->size() >= base::limits::kDiscoItems) break;
            }
        }
    }
    return info;
}

std::vector<std::string> read_disco_items(const gloox::Tag& iq, std::size_t most,
                                          const mail::Domain& parent) {
    std::vector<std::string> jids;
    const auto* query = find_child(iq, "query", ns::kDiscoItems);
    if (query == nullptr) return jids;
    for (const auto* item : query->children()) {
        if (jids.size() >= most) break;
        if (item->name() != "item" || item->hasAttribute("node")) continue;
        const auto jid = Jid::parse(item->findAttribute("jid"));
        if (!jid || !jid->is_domain() || std::ranges::find(jids, jid->domain()) != jids.end())
            continue;
        const auto domain = mail::Domain::parse(jid->domain());
        if (domain && mail::is_own_subdomain(*domain, parent)) jids.push_back(jid->domain());
    }
    return jids;
}

}  // namespace component
