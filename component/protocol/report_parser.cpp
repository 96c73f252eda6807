#include "component/protocol/report_parser.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "component/protocol/payload_values.hpp"

#include <algorithm>
#include <utility>

namespace component {
namespace {

/// The word of RFC 3464 2.3.3, and the class that its status has.
std::optional<std::pair<mail::Action, int>> to_action(std::string_view word) {
    using mail::Action;
    static constexpr std::pair<Action, int> kActions[] = {{Action::failed, 5},
                                                          {Action::delayed, 4},
                                                          {Action::delivered, 2},
                                                          {Action::relayed, 2},
                                                          {Action::expanded, 2}};
    const auto* const found = std::ranges::find_if(
        kActions, [&](const auto& known) { return mail::to_text(known.first) == word; });
    if (found == std::end(kActions)) return std::nullopt;
    return *found;
}

/// A name fit for a field of a report: what names a host has neither blanks nor control characters.
bool is_host_name(std::string_view text) {
    return !text.empty() && text.size() <= base::limits::kDomain && base::is_ascii(text) &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

std::span<const PayloadElement<ReportParser>> ReportParser::elements() {
    using P = ReportParser;
    static constexpr PayloadElement<P> kElements[] = {
        {"", "report", &P::start_report, nullptr, &P::end_report},
        {"report", "rcpt", &P::start_recipient, &P::reply_text, &P::end_recipient},
    };
    return kElements;
}

TransferPayload ReportParser::result() {
    return IncomingReport{std::move(*report_)};
}

void ReportParser::start_report(const PayloadAttributes& attributes) {
    attributes.only({"id", "domain", "seq"});
    auto key = read_key(attributes);
    const auto seq = attributes.number("seq", kNumberType);
    if (seq == 0) fail("the first report has the seq 1");
    if (key) report_ = queue::PeerReport{std::move(*key), static_cast<std::uint32_t>(seq), {}};
}

void ReportParser::start_recipient(const PayloadAttributes& attributes) {
    attributes.only({"n", "action", "code", "status", "time", "mta", "final"});
    text_.clear();
    if (++recipients_ > base::limits::kBatchRecipients) return fail("too many recipients");
    queue::PeerReport::Line line;
    line.n = static_cast<std::uint32_t>(attributes.number("n", kNumberType));
    if (!numbers_.insert(line.n).second) fail("two lines are on the same recipient");
    const auto action = to_action(attributes.required("action"));
    const auto code = static_cast<int>(attributes.number("code", 559));
    const auto status = mail::EnhancedStatus::parse(attributes.required("status"));
    const auto written = attributes.required("time");
    const auto time = base::parse_datetime(written);
    if (!action) return fail("the action is none of RFC 3464");
    if (code / 100 != action->second || code % 100 > 59 || !status ||
        status->klass != action->second)
        return fail("code and status do not fit the action");
    if (!time || base::to_datetime(*time) != written)
        return fail("the time is not one in UTC and whole seconds");
    if (const auto mta = attributes.find("mta")) {
        if (!is_host_name(*mta)) return fail("the mta is no host's name");
        line.mta = *mta;
    }
    if (const auto final_address = attributes.find("final")) {
        if (!mail::Mailbox::parse(*final_address)) return fail("the final address is none");
        line.final_address = *final_address;
    }
    if (failed()) return;
    line.action = action->first;
    line.reply = {code, *status, {}};
    line.at = *time;
    report_->recipients.push_back(std::move(line));
}

void ReportParser::end_report() {
    if (report_->recipients.empty()) fail("a report is on nobody");
}

void ReportParser::reply_text(std::string_view text) {
    add_reply_text(text_, text);
}

void ReportParser::end_recipient() {
    report_->recipients.back().reply.text = base::printable(text_, base::limits::kStatusText);
}

}  // namespace component
