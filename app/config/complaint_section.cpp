#include "app/config/complaint_section.hpp"

#include "app/config/values.hpp"

#include <charconv>
#include <optional>

namespace app {
namespace {

using namespace std::chrono_literals;

// A test need not wait for a day; and who hears nothing for a week learns nothing.
constexpr auto kShortestBatch = 1s;
constexpr auto kLongestBatch = std::chrono::hours(24 * 7);

/// `0660`
std::optional<unsigned> parse_mode(const std::string& text) {
    unsigned mode = 0;
    constexpr int kOctal = 8;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, kOctal);
    if (error != std::errc() || end != text.data() + text.size() || mode > 0777)
        return std::nullopt;
    return mode;
}

base::Error wrong(const std::string& what) {
    return base::fail(base::Errc::syntax, what);
}

}  // namespace

base::Result<ComplaintConfig> read_complaints(const Section& section) {
    ComplaintConfig config;
    config.which = {section.get<Switch>("send").value, section.get<Switch>("take").value};
    config.plan.period = section.get<Duration>("batch").value;
    if (config.plan.period < kShortestBatch || config.plan.period > kLongestBatch)
        return wrong("batch: between 1s and 7d");
    if (section.has("abuse-address")) {
        auto address = mail::Mailbox::parse(section.get<Text>("abuse-address").value);
        if (!address) return wrong("abuse-address: " + address.error().text);
        config.plan.abuse_address = std::move(*address);
    }
    if (section.has("socket")) config.socket = section.get<Text>("socket").value;
    if (!config.socket.empty() && !config.socket.is_absolute())
        return wrong("socket: a path that starts with /");
    const auto mode = parse_mode(section.get<Text>("socket-mode").value);
    if (!mode) return wrong("socket-mode: such as 0660");
    config.socket_mode = *mode;
    return config;
}

}  // namespace app
