#include "app/daemon/off_json.hpp"

#include "app/config/values.hpp"
#include "app/json_text.hpp"

#include <sstream>

namespace app {
namespace {

namespace json = boost::json;

constexpr auto kMostOff = std::chrono::hours(24 * 366);

}  // namespace

base::Result<std::optional<base::TimePoint>> read_until(const std::string& word,
                                                        base::TimePoint now) {
    if (word.empty()) return std::optional<base::TimePoint>();
    std::istringstream in(word);
    Duration duration;
    if (in >> duration) return std::optional(now + duration.value);
    const auto time = base::parse_datetime(word);
    if (!time)
        return base::fail(base::Errc::syntax, "\"" + word +
                                                  "\" is neither a while, such as 90m, nor a time, "
                                                  "such as " +
                                                  base::to_datetime(now));
    if (*time <= now || *time > now + kMostOff)
        return base::fail(base::Errc::syntax,
                          word + " is not within a year from now, " + base::to_datetime(now));
    return std::optional(*time);
}

json::value off_answer(const std::optional<queue::Off>& off) {
    if (!off) return nullptr;
    json::object answer{{"since", base::to_datetime(off->since)}};
    answer["until"] = off->until ? json::value(base::to_datetime(*off->until)) : json::value();
    return answer;
}

std::string off_text(const json::object& status) {
    const auto* const off = status.if_contains("off");
    if (off == nullptr || !off->is_object()) return "";
    const std::string until = text_of(off->as_object(), "until");
    return "off since " + text_of(off->as_object(), "since") +
           (until.empty() ? ", until packetboat on" : ", until " + until) +
           ": our mail goes by SMTP, other domains' is still taken";
}

}  // namespace app
