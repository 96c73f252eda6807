// The authority rule on plain facts, without a network.
#include "component/discovery/authority.hpp"

#include "support/component/doubles.hpp"

using namespace component;
using doubles::domain;

namespace {

Capability claiming(const std::vector<std::string>& names) {
    Capability capability;
    for (const auto& name : names)
        capability.domains.push_back(domain(name));
    return capability;
}

}  // namespace

TEST_CASE("Without a word of the domain, a listed child that claims it speaks for it") {
    DomainFacts facts;
    facts.listed = {"mail.b.test", "rooms.b.test"};
    facts.forms["mail.b.test"] = claiming({"b.test"});
    const auto judgement = judge(domain("b.test"), facts, "");
    CHECK(judgement.component == "mail.b.test");
    CHECK(judgement.speakers == std::vector<std::string>{"mail.b.test"});
    CHECK_FALSE(judgement.retired);
}

TEST_CASE("Two children claim, and none is known: nobody is believed, whatever the names") {
    DomainFacts facts;
    facts.listed = {"mail.b.test", "aaa.b.test"};
    facts.forms["aaa.b.test"] = claiming({"b.test"});
    facts.forms["mail.b.test"] = claiming({"b.test"});
    const auto judgement = judge(domain("b.test"), facts, "");
    CHECK(judgement.component.empty());
    CHECK(judgement.speakers.empty());
    CHECK(judgement.rivals == std::vector<std::string>{"aaa.b.test", "mail.b.test"});
    CHECK_FALSE(judgement.retired);
    CHECK(judgement.dispute(domain("b.test")).find("aaa.b.test, mail.b.test") == 0);
    // Two newcomers do not inherit from one that has retired, either.
    facts.listed.emplace_back("old.b.test");
    facts.forms["old.b.test"] = claiming({});
    CHECK(judge(domain("b.test"), facts, "old.b.test").component.empty());
    // The domain's own word decides.
    facts.forms["b.test"] = claiming({"b.test"});
    CHECK(judge(domain("b.test"), facts, "").component == "b.test");
    facts.named = {"mail.b.test"};
    CHECK(judge(domain("b.test"), facts, "").component == "mail.b.test");
}

TEST_CASE("Two children claim: the known one is kept, also while it is silent") {
    DomainFacts facts;
    facts.listed = {"aaa.b.test", "mail.b.test"};
    facts.forms["aaa.b.test"] = claiming({"b.test"});
    facts.forms["mail.b.test"] = claiming({"b.test"});
    const auto kept = judge(domain("b.test"), facts, "mail.b.test");
    CHECK(kept.component == "mail.b.test");
    CHECK(kept.other_claim == "aaa.b.test");
    facts.forms.erase("mail.b.test");
    const auto silent = judge(domain("b.test"), facts, "mail.b.test");
    CHECK(silent.component.empty());
    CHECK(silent.other_claim == "aaa.b.test");
    CHECK_FALSE(silent.retired);
    // A server that lists only what is connected makes no difference.
    facts.listed = {"aaa.b.test"};
    const auto unlisted = judge(domain("b.test"), facts, "mail.b.test");
    CHECK(unlisted.component.empty());
    CHECK(unlisted.speakers.empty());
    CHECK(unlisted.other_claim == "aaa.b.test");
    CHECK_FALSE(unlisted.retired);
    // It says itself that it has gone.
    facts.forms["mail.b.test"] = claiming({});
    CHECK(judge(domain("b.test"), facts, "mail.b.test").component == "aaa.b.test");
}

TEST_CASE("Where the domain names its components, they alone count") {
    DomainFacts facts;
    facts.named = {"post.example", "relay.example"};
    facts.forms["post.example"] = claiming({"elsewhere.test"});
    facts.forms["mail.b.test"] = claiming({"b.test"});
    const auto judgement = judge(domain("b.test"), facts, "");
    CHECK(judgement.component == "post.example");
    CHECK(judgement.speakers.size() == 2);
    facts.named->clear();
    CHECK(judge(domain("b.test"), facts, "mail.b.test").retired);
}

TEST_CASE("Retiring is said, not guessed") {
    DomainFacts facts;
    facts.listed = {"mail.b.test"};
    CHECK_FALSE(judge(domain("b.test"), facts, "mail.b.test").retired);
    facts.forms["mail.b.test"] = claiming({});
    CHECK(judge(domain("b.test"), facts, "mail.b.test").retired);
    facts.listed.clear();
    facts.forms.clear();
    CHECK_FALSE(judge(domain("b.test"), facts, "mail.b.test").retired);
}

TEST_CASE("an internationalised domain that is its own component speaks for itself") {
    const auto buecher = domain("xn--bcher-kva.test");
    DomainFacts facts;
    facts.forms[buecher.domainpart()] = claiming({"xn--bcher-kva.test"});
    const auto judgement = judge(buecher, facts, "");
    CHECK(judgement.component ==
          "b\xC3\xBC"
          "cher.test");
    CHECK(judgement.speakers.size() == 1);
}
