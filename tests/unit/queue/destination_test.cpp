#include "queue/destination.hpp"

#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;

TEST_CASE("the router knows our own domains, our senders, and nobody else's") {
    const queue::Router router({{domain("a.test"), "mail.a.test"},
                                {domain("sub.a.test"), "mail.sub.a.test"},
                                {domain("z.test"), "mail.a.test"}},
                               "mail.a.test", {{"mail.a.test", domain("z.test")}});
    CHECK(router.route(mailbox("eve@c.test"), mailbox("alice@a.test")) == kLocal);
    CHECK(router.route(mailbox("alice@A.test"), mailbox("bob@b.test")) == kToB);
    CHECK(router.route(std::nullopt, mailbox("bob@b.test")) == kToB);
    CHECK(router.route(mailbox("eve@c.test"), mailbox("bob@b.test")) == kRelay);
    CHECK(router.route(mailbox("alice@a.test"), mailbox("bob@[192.0.2.1]")) == kRelay);
    CHECK(router.route(mailbox("x@deep.sub.a.test"), mailbox("bob@b.test")).component ==
          "mail.sub.a.test");
    CHECK(router.route(mailbox("x@xa.test"), mailbox("bob@b.test")) == kRelay);
    // XMPP can't carry these.
    const auto odd = [](const char* text) { return mail::Mailbox::parse_loosely(text).value(); };
    CHECK(router.route(odd("x@web_01.a.test"), mailbox("bob@b.test")) == kRelay);
    CHECK(router.route(mailbox("alice@a.test"), odd("bob@b.test.")) == kRelay);
    CHECK(router.route(odd("x@web_01.a.test"), odd("alice@a.test.")) == kLocal);

    CHECK(router.sending_domain(std::nullopt, "mail.a.test") == domain("z.test"));
    CHECK(router.sending_domain(std::nullopt, "mail.sub.a.test") == domain("sub.a.test"));
    CHECK(router.sending_domain(mailbox("x@list.a.test"), "mail.a.test") == domain("a.test"));
    CHECK_FALSE(router.sending_domain(mailbox("x@c.test"), "mail.a.test"));
    CHECK_FALSE(router.sending_domain(mailbox("x@sub.a.test"), "mail.a.test"));
}

TEST_CASE("our components' names are ours, and mail to them never goes over XMPP") {
    const queue::Router router(
        {{domain("a.test"), "mail.a.test"}, {domain("b\xC3\xBC.test"), "post.example"}},
        "mail.a.test", {}, {}, queue::LanePolicy({true, {}}, {{domain("a.test"), {true, {}}}}));
    CHECK(router.ours() == std::set<std::string, std::less<>>{"a.test", "mail.a.test",
                                                              "post.example", "xn--b-eha.test"});
    CHECK(router.route(mailbox("alice@a.test"), mailbox("x@mail.a.test")) == kRelay);
    CHECK(router.route(std::nullopt, mailbox("x@post.example")) == kRelay);
    CHECK(router.route(mailbox("alice@a.test"), mailbox("x@sub.a.test")).lane == queue::Lane::xmpp);
    // Nothing is required of a lane that it does not take.
    CHECK_FALSE(router.rule("a.test").required);
    CHECK_FALSE(router.rule("mail.a.test").required);
    CHECK(router.rule("b.test").required);
}

TEST_CASE(
    "what is promised is required, of the component that promised it, and by sender's domain") {
    const queue::Router router(
        {{domain("a.test"), "mail.a.test"}, {domain("z.test"), "mail.z.test"}}, "mail.a.test");
    router.bonds()->set_peer("b.test", "mail.b.test");
    CHECK_FALSE(router.is_required("b.test"));
    const queue::Router copy = router;
    router.bonds()->promise("mail.a.test", {"a.test"}, true, {});
    const queue::LaneRule rule = copy.rule(kToB);
    CHECK(rule.required);
    CHECK(rule.promised);
    CHECK_FALSE(copy.rule("b.test").required);  // the administrator has said nothing
    CHECK(copy.is_required("b.test"));
    CHECK_FALSE(copy.is_required("c.test"));
    CHECK_FALSE(copy.rule(queue::Destination{queue::Lane::xmpp, "mail.z.test", "b.test"}).required);
    CHECK_FALSE(copy.rule(kRelay).required);
    CHECK(copy.is_promised(mailbox("alice@A.test"), domain("b.test")));
    CHECK_FALSE(copy.is_promised(mailbox("alice@sub.a.test"), domain("b.test")));
    CHECK_FALSE(copy.is_promised(mailbox("zoe@z.test"), domain("b.test")));
    CHECK_FALSE(copy.is_promised(std::nullopt, domain("b.test")));
    CHECK_FALSE(copy.is_promised(mailbox("alice@a.test"), domain("c.test")));
}
