#include "smtp-bridge/lookup/closed_lane.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace smtp_bridge {
namespace {

constexpr std::string_view kNothing = "DUNNO";
constexpr std::size_t kShortestToken = 16;
constexpr std::size_t kLongestToken = 64;

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// `Packetboat-Unproven-TOKEN: domain=a.test; closed-lane=confirmed; class=poor`; Postfix takes the
/// token out again (examples/postfix), so that nobody else can write the field.
std::string mark(const std::string& token, const mail::Domain& sender,
                 queue::PromiseFinding finding, queue::PeerClass against) {
    std::string field = fmt::format("Packetboat-Unproven-{}: domain={}", token, sender.ascii());
    if (finding != queue::PromiseFinding::none)
        field += fmt::format("; closed-lane={}", to_text(finding));
    if (against != queue::PeerClass::none)
        field += fmt::format("; class={}", queue::to_text(against));
    return field;
}

}  // namespace

const char* to_text(ClosedLaneMode mode) {
    switch (mode) {
        case ClosedLaneMode::off:
            return "off";
        case ClosedLaneMode::log:
            return "log";
        case ClosedLaneMode::mark:
            return "mark";
        case ClosedLaneMode::reject:
            return "reject";
    }
    return "off";
}

bool ClosedLaneSettings::is_exempt(const mail::Domain& sender, std::string_view client) const {
    if (exempt.contains(sender.ascii())) return true;
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(std::string(client), error);
    return !error && std::ranges::any_of(exempt_networks, [&](const Network& network) {
        return network.contains(address);
    });
}

base::Result<std::string> parse_mark_token(std::string_view text) {
    const bool fits = text.size() >= kShortestToken && text.size() <= kLongestToken;
    if (!fits || !std::ranges::all_of(text, is_letter_or_digit))
        return base::fail(base::Errc::syntax,
                          "has to be 16 to 64 letters and digits that nobody can guess");
    return std::string(text);
}

bool MarkedMessages::is_new(const std::string& instance, const std::string& mark) {
    const std::string key = instance + "\n" + mark;
    const std::lock_guard lock(mutex_);
    if (!known_.insert(key).second) return false;
    order_.push_back(key);
    if (order_.size() > kMost) {
        known_.erase(order_.front());
        order_.pop_front();
    }
    return true;
}

std::string closed_lane_action(const ClosedLaneSettings& settings, const mail::Domain& sender,
                               queue::PromiseFinding finding, queue::PeerClass against,
                               const std::string& instance, MarkedMessages& marked) {
    using queue::PromiseFinding;
    const std::string& name = sender.ascii();
    if (settings.mode == ClosedLaneMode::reject && finding == PromiseFinding::confirmed)
        return fmt::format(
            "550 5.7.1 {0} has promised that its mail comes to us over XMPP only, and this came by "
            "SMTP: send it by the mail server of {0}, or with another envelope sender",
            name);
    if (settings.mode == ClosedLaneMode::reject && finding == PromiseFinding::unconfirmed)
        return fmt::format(
            "451 4.7.1 {0} has promised that its mail comes to us over XMPP only, and can't be "
            "asked now whether that still holds: try again later",
            name);
    const bool is_odd = finding != PromiseFinding::none || against != queue::PeerClass::none;
    if (!settings.marks() || !is_odd) return std::string(kNothing);
    const std::string field = mark(settings.mark_token, sender, finding, against);
    return marked.is_new(instance, field) ? "PREPEND " + field : std::string(kNothing);
}

}  // namespace smtp_bridge
