#include "app/check/check_clock.hpp"

#include "app/daemon/clock_answer.hpp"
#include "app/json_text.hpp"

namespace app {

void check_clock(Findings& findings, const boost::json::object& status) {
    const boost::json::value* const clock = status.if_contains("clock");
    if (clock == nullptr || !clock->is_object()) return;
    const auto trouble = clock_trouble(clock->as_object());
    // After a pause of the host there is nothing wrong with it.
    const bool good = !trouble || text_of(clock->as_object(), "doubt") == "ahead";
    findings.add(good, trouble.value_or("clock: it goes on as it should"));
}

}  // namespace app
