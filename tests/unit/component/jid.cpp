#include "component/jid.hpp"

using component::Jid;

TEST_CASE("A JID is split at the right places") {
    const auto jid = Jid::parse("alice@A.Test/home/x@y");
    REQUIRE(jid);
    CHECK(jid->local() == "alice");
    CHECK(jid->domain() == "a.test");
    CHECK(jid->resource() == "home/x@y");
    CHECK(jid->full() == "alice@a.test/home/x@y");
    CHECK_FALSE(jid->is_domain());

    // The one that gloox gets wrong: the @ belongs to the resource.
    const auto host = Jid::parse("mail.a.test/a@b");
    REQUIRE(host);
    CHECK(host->local().empty());
    CHECK(host->domain() == "mail.a.test");
    CHECK(host->resource() == "a@b");
    CHECK(Jid::parse("MAIL.a.test")->is_domain());
}

TEST_CASE("What is no JID is refused") {
    for (const auto* text :
         {"", "@a.test", "alice@", "a.test/", "a b.test", "a@b@c", "a<b.test", "/x"})
        CHECK_FALSE(Jid::parse(text));
    CHECK_FALSE(Jid::parse(std::string(2000, 'x')));
}
