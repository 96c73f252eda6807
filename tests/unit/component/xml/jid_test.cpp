#include "component/xml/jid.hpp"

using component::Jid;

// RFC 7622 3.1.
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

// RFC 7622 3.2, RFC 7622 3.3, RFC 7622 3.4.
TEST_CASE("What is no JID is refused") {
    for (const auto* text :
         {"", "@a.test", "alice@", "a.test/", "a b.test", "a@b@c", "a<b.test", "/x"})
        CHECK_FALSE(Jid::parse(text));
    CHECK_FALSE(Jid::parse(std::string(2000, 'x')));
}

// RFC 7622 3.2.
TEST_CASE("a domainpart has one spelling, whatever is written: U-labels in lower case") {
    const std::string buecher =
        "b\xC3\xBC"
        "cher.test";
    for (const std::string& text :
         {buecher, std::string("xn--bcher-kva.test"), std::string("XN--BCHER-KVA.TEST"),
          std::string("B\xC3\x9C"
                      "CHER.test"),
          std::string("bu\xCC\x88"
                      "cher.test"),
          std::string("xn--bcher-kva.test."), buecher + "."}) {
        CAPTURE(text);
        CHECK(Jid::parse(text)->domain() == buecher);
        CHECK(*Jid::parse("mail." + text) == *Jid::parse("mail." + buecher));
        CHECK(Jid::parse("a@" + text + "/XN--x")->full() == "a@" + buecher + "/XN--x");
    }
    CHECK(Jid::parse("a.test.")->domain() == "a.test");
    // What is no U-label stays as it is.
    for (const std::string text :
         {"xn--zzzz.test", "xn--zzzz.xn--bcher-kva.test", "xn--strae-oqa.test", "_x.a.test",
          "_x.xn--bcher-kva.test", "xn--", "a..test"}) {
        CAPTURE(text);
        CHECK(Jid::parse(text)->domain() == text);
    }
    // Never another domain: the one that sharp s is folded to is somebody else's.
    CHECK(Jid::parse("stra\xC3\x9F"
                     "e.test")
              ->domain() == "xn--strae-oqa.test");
    CHECK_FALSE(Jid::parse("."));
    CHECK_FALSE(Jid::parse("a@."));
}
