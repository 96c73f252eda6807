// What another reading of the configuration changes, and what it can't.
#include "app/daemon/reload.hpp"

#include <catch2/catch.hpp>

using Names = std::vector<std::string>;

namespace {

app::Config said(std::map<std::string, std::string> texts) {
    app::Config config;
    config.said = std::move(texts);
    return config;
}

}  // namespace

TEST_CASE("each changed key either takes effect or needs a restart") {
    const auto before = said({{"[daemon] hostname", "mx.a.test"},
                              {"[daemon] log-level", "info"},
                              {"[component mail.a.test] secret", "old"},
                              {"[component mail.a.test] domains", "a.test"},
                              {"[intake postfix] networks", "127.0.0.0/8"},
                              {"[domain b.test] policy", "require"},
                              {"[sender x@a.test] burst", "1h"},
                              {"[queue] policy", "prefer"}});
    CHECK(app::compare(before, before).now.empty());
    CHECK(app::compare(before, before).restart.empty());
    const auto after = said({{"[daemon] hostname", "mx2.a.test"},
                             {"[daemon] log-level", "debug"},
                             {"[component mail.a.test] secret", "new"},
                             {"[component mail.a.test] domains", "a.test a2.test"},
                             {"[intake postfix] networks", "127.0.0.0/8"},
                             {"[intake other] listen", "unix:/run/x"},
                             {"[domain c.test] fallback-after", "6h"},
                             {"[senders] exempt", "lists.a.test"},
                             {"[queue] policy", "require"}});
    const auto changes = app::compare(before, after);
    CHECK(changes.now == Names{"[component mail.a.test] secret", "[daemon] log-level",
                               "[domain b.test] policy", "[domain c.test] fallback-after",
                               "[queue] policy", "[sender x@a.test] burst", "[senders] exempt"});
    CHECK(changes.restart ==
          Names{"[component mail.a.test] domains", "[daemon] hostname", "[intake other] listen"});
}

TEST_CASE("a policy that is replaced is in force for all who look at it") {
    queue::Router router({{*mail::Domain::parse("a.test"), "mail.a.test"}}, "mail.a.test");
    const queue::Router copy = router;
    CHECK_FALSE(copy.rule("b.test").required);
    const auto before = copy.lanes();
    router.replace_lanes(queue::LanePolicy({}, {{*mail::Domain::parse("b.test"), {true, {}}}}));
    CHECK(copy.rule("b.test").required);
    CHECK(before->special().empty());
}
