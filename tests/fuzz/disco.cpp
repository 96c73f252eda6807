// What peers say of themselves, and their errors: whatever it is, every value that is read from it
// lies within its bounds, and every text is fit for a log line.
#include "base/text.hpp"
#include "component/stream/capability.hpp"
#include "component/stream/stanza.hpp"
#include "component/xml/jid.hpp"
#include "fuzz/stanzas.hpp"

#include <set>

using namespace component;
using fuzz::check;

namespace {

namespace limits = base::limits;

constexpr std::size_t kItems = 7;
constexpr std::size_t kValues = 1000;  // capability.cpp's

bool within(std::size_t value, std::size_t least, std::size_t most) {
    return least <= value && value <= most;
}

void check_capability(const Capability& capability) {
    check(capability.domains.size() <= kValues, "the domains are bounded");
    for (const auto& domain : capability.domains)
        check(capability.serves(domain), "a domain that is named is served");
    check(within(capability.max_stanza, limits::kStanzaUnknown, limits::kStanza), "max-stanza");
    check(within(capability.max_size, 1, std::size_t(1) << 40) || capability.max_size == SIZE_MAX,
          "max-size");
    check(within(capability.max_recipients, 1, limits::kBatchRecipients), "max-recipients");
    check(within(capability.max_batch, 1, limits::kBatch), "max-batch");
    check(within(capability.window, 1, limits::kBlock), "window");
    check(capability.retention >= std::chrono::hours(1) &&
              capability.retention <= std::chrono::hours(24 * 366),
          "retention");
    check(capability.promised.size() <= 100, "promises are bounded");
    for (const auto& domain : capability.promised) {
        check(capability.serves(domain), "it promises for what it serves");
        check(capability.promise_for(domain) == capability.promised_until, "one date for all");
    }
}

void check_info(const PeerInfo& info) {
    if (info.capability) check_capability(*info.capability);
    if (!info.mail_addresses) return;
    check(info.mail_addresses->size() <= limits::kDiscoItems, "the addresses are bounded");
    for (const auto& address : *info.mail_addresses) {
        const auto jid = Jid::parse(address);
        check(jid && jid->is_domain() && jid->full() == address, "an address is a domainpart");
    }
}

void check_items(const std::vector<std::string>& items, const mail::Domain& parent) {
    check(items.size() <= kItems, "the items are bounded");
    check(std::set(items.begin(), items.end()).size() == items.size(), "each item once");
    for (const auto& item : items) {
        const auto jid = Jid::parse(item);
        check(jid && jid->is_domain(), "an item is a domainpart");
        const auto domain = mail::Domain::parse(item);
        check(domain && domain->is_subdomain_of(parent), "an item lies below its parent");
    }
}

void check_text(std::string_view text) {
    check(text == base::printable(text, limits::kStatusText), "text is printable and bounded");
}

void check_error(const StanzaError& error) {
    check_text(error.type);
    check_text(error.condition);
    check_text(error.ours);
    check_text(error.text);
    check(!error.condition.empty(), "there is always a condition");
    check(!error.retry_after || (error.retry_after->count() >= 1 &&
                                 error.retry_after->count() <= 86400 && error.ours == "busy"),
          "retry-after is between a second and a day");
    check(error.cause == BusyCause::none || error.ours == "busy", "only who is busy has a cause");
}

void check_jid(std::string_view text) {
    const auto jid = Jid::parse(text);
    if (!jid) return;
    check(!jid->domain().empty(), "a JID has a domain");
    const auto again = Jid::parse(jid->full());
    check(again && *again == *jid, "a JID that is written reads as the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto parent = *mail::Domain::parse("b.test");
    const auto input = fuzz::text_of(data, size);
    check_jid(input);
    for (const char* const type : {"result", "error"}) {
        for (const auto& event : fuzz::read_iq(type, input)) {
            const auto* stanza = std::get_if<TagStanza>(&event);
            if (stanza == nullptr) continue;
            check_info(read_disco_info(*stanza->tag));
            check_items(read_disco_items(*stanza->tag, kItems, parent), parent);
            check_error(read_error(*stanza->tag));
        }
    }
    return 0;
}
