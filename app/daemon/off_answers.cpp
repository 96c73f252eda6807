#include "app/daemon/off_answers.hpp"

#include "app/daemon/control_answers.hpp"
#include "app/daemon/off_json.hpp"

#include <algorithm>

namespace app {
namespace {

namespace json = boost::json;

/// Some mail may not go by SMTP whatever happens.
bool some_is_required(const queue::LanePolicy& lanes) {
    return lanes.of("").required || std::ranges::any_of(lanes.special(), [](const auto& entry) {
               return entry.second.required;
           });
}

}  // namespace

base::Task<json::object> answer_off(Daemon& daemon, std::string word) {
    const auto until = read_until(word, base::SystemClock().now());
    if (!until) co_return not_understood(until.error().text);
    const base::Result<void> done = co_await daemon.off().turn_off(*until);
    if (!done) co_return refusal(done.error().text);
    json::object answer = co_await answer_status(daemon);
    answer["some_required"] = some_is_required(*daemon.router().lanes());
    co_return answer;
}

base::Task<json::object> answer_on(Daemon& daemon) {
    const base::Result<void> done = co_await daemon.off().turn_on();
    if (!done) co_return refusal(done.error().text);
    json::object answer = co_await answer_status(daemon);
    co_return answer;
}

}  // namespace app
