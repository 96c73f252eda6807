#include "app/daemon/clock_answer.hpp"

#include "app/json_text.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace app {
namespace {

namespace json = boost::json;

std::int64_t whole_seconds(std::chrono::milliseconds time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

/// In the largest unit of which it is two at least.
std::string in_words(std::int64_t seconds) {
    struct Unit {
        std::int64_t seconds;
        const char* name;
    };
    for (const Unit unit : {Unit{86400, "days"}, Unit{3600, "hours"}, Unit{60, "minutes"}}) {
        if (seconds >= 2 * unit.seconds)
            return fmt::format("{} {}", seconds / unit.seconds, unit.name);
    }
    return fmt::format("{} seconds", seconds);
}

std::string what_is_seen(const std::string& doubt, std::int64_t by) {
    const std::string much = in_words(std::abs(by));
    if (doubt == "behind") return "it is " + much + " behind what the queue has seen before";
    if (doubt == "ahead")
        return "it is " + much + " ahead of what the queue has seen last, as after a pause";
    return fmt::format("it has jumped {} by {}", by < 0 ? "back" : "ahead", much);
}

}  // namespace

json::object clock_answer(const base::ClockTrust::State& state, const base::Clock& clock) {
    json::object answer{{"doubt", base::to_text(state.doubt)}, {"by", whole_seconds(state.by)}};
    answer["until"] =
        state.until ? json::value(whole_seconds(*state.until - clock.steady())) : json::value();
    return answer;
}

std::optional<std::string> clock_trouble(const json::object& answer) {
    const std::string doubt = text_of(answer, "doubt");
    if (doubt.empty() || doubt == "none") return std::nullopt;
    const json::value* const until = answer.if_contains("until");
    const bool ends = until != nullptr && until->is_int64();
    const std::string end =
        ends ? fmt::format(", for {} more", in_words(std::max<std::int64_t>(until->as_int64(), 0)))
             : std::string();
    return fmt::format(
        "clock: {}: until it is right, nothing expires, and nothing is forgotten{}: see to its"
        " synchronisation (timedatectl)",
        what_is_seen(doubt, number_of(answer, "by")), end);
}

}  // namespace app
