// survey: all of it takes no longer than it may, however slow each of those is who are asked.
#include "component/discovery/survey.hpp"

#include "support/component/doubles.hpp"

using namespace doubles;
using namespace std::chrono_literals;

TEST_CASE("A survey has one deadline, however slowly each question is answered") {
    World world;
    std::vector<std::string> candidates;
    for (int i = 0; i < 11; ++i)
        candidates.push_back(fmt::format("c{}.b.test", i));
    world.list("b.test", candidates);
    const std::chrono::steady_clock::time_point began;
    auto now = began;
    auto last_answer = began;
    std::vector<std::chrono::milliseconds> limits;
    const auto takes = GENERATE(39s, 45s);
    world.link.script = [&](const ScriptedLink::Asked& asked) -> IqReply {
        limits.push_back(asked.limit);
        if (takes > asked.limit) {
            // Those who are asked at the same time are silent at the same time.
            now = last_answer + asked.limit;
            return NoAnswer{base::fail(base::Errc::timeout, "no answer"), true};
        }
        now = last_answer = now + takes;
        return world.answer(asked);
    };
    const auto result = support::run<SurveyResult>(world.io, [&] {
        return survey(world.link, *world.dns, domain("b.test"), {}, [&] { return now; });
    });
    CHECK(now - began <= kSurveyTime);
    CHECK(result.kind == SurveyResult::Kind::unreachable);
    using Limits = std::vector<std::chrono::milliseconds>;
    if (takes == 45s) {
        CHECK(limits == Limits{40s});  // for one question
        return;
    }
    // For the third wave there is less time, and for a fourth none.
    Limits expected{40s, 40s};
    expected.insert(expected.end(), 10, 12s);
    CHECK(limits == expected);
    CHECK(std::ranges::any_of(result.steps, [](const std::string& step) {
        return step == "disco#info of c10.b.test: not asked, as the others took too long";
    }));
}
