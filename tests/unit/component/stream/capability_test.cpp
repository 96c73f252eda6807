#include "component/stream/capability.hpp"

#include "support/component/doubles.hpp"

using namespace component;
using doubles::domain;

namespace {

PeerInfo info_of(const std::string& fields,
                 const std::string& features = "<feature var='urn:xmpp:mail-transfer:0'/>") {
    return read_disco_info(
        *doubles::read_tag("<iq type='result' id='1' from='b' to='a'><query "
                           "xmlns='http://jabber.org/protocol/disco#info'>" +
                           features +
                           "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' "
                           "type='hidden'><value>urn:xmpp:mail-transfer:0</value></field>" +
                           fields + "</x></query></iq>"));
}

}  // namespace

// RFC 6120 13.12, XEP-0004 3.2.
TEST_CASE("Absent fields have the protocol's defaults; absurd ones are brought within bounds") {
    const auto plain = info_of("").capability;
    REQUIRE(plain);
    CHECK(plain->domains.empty());
    CHECK(plain->max_stanza == 10000);
    CHECK(plain->max_batch == 1);
    CHECK(plain->max_recipients == 100);
    CHECK_FALSE(plain->dsn);
    const auto absurd =
        info_of(
            "<field var='max-stanza'><value>99999999999</value></field>"
            "<field var='max-batch'><value>0</value></field>"
            "<field var='window'><value>-5</value></field>"
            "<field var='domains'><value>B.Test</value><value>not a domain!</value></field>"
            "<field var='extensions'><value>dsn</value><value>teleport</value></field>")
            .capability;
    REQUIRE(absurd);
    CHECK(absurd->max_stanza == base::limits::kStanza);
    CHECK(absurd->max_batch == 1);
    CHECK(absurd->window == 65536);
    CHECK(absurd->serves(domain("b.test")));
    CHECK(absurd->domains.size() == 1);
    CHECK(absurd->dsn);
    CHECK_FALSE(absurd->mirror);
}

TEST_CASE("A component of ours says that it answers the mirror") {
    ComponentSettings settings;
    settings.domains = {domain("a.test")};
    const auto said = read_disco_info(
        *doubles::read_tag("<iq type='result'>" + disco_info_query(settings) + "</iq>"));
    REQUIRE(said.capability);
    CHECK(said.capability->mirror);
}

// XEP-0128 2.
TEST_CASE("Form and feature go together; other forms are nothing") {
    CHECK_FALSE(info_of("", "").capability);
    CHECK_FALSE(read_disco_info(*doubles::read_tag("<iq type='result'/>")).capability);
    CHECK_FALSE(read_disco_info(
                    *doubles::read_tag(
                        "<iq><query xmlns='http://jabber.org/protocol/disco#info'><x "
                        "xmlns='jabber:x:data'><field/><field var='FORM_TYPE'/></x></query></iq>"))
                    .capability);
}

// XEP-0030 4.1.
TEST_CASE("Only subdomains are candidates, each once, and not too many") {
    std::string items =
        "<iq type='result'><query xmlns='http://jabber.org/protocol/disco#items'><item "
        "jid='mail.b.test'/>"
        "<item jid='MAIL.b.test'/><item jid='b.test'/><item jid='evilb.test'/><item "
        "jid='user@x.b.test'/>"
        "<item jid='node.b.test' node='x'/><item jid='other.test'/><item/>";
    for (int i = 0; i < 50; ++i)
        items += fmt::format("<item jid='s{}.b.test'/>", i);
    const auto jids =
        read_disco_items(*doubles::read_tag(items + "</query></iq>"), 10, domain("b.test"));
    REQUIRE(jids.size() == 10);
    CHECK(jids[0] == "mail.b.test");
    CHECK(jids[1] == "s0.b.test");
}

TEST_CASE("What is listed below a public suffix is other people's") {
    const std::string items =
        "<iq type='result'><query xmlns='http://jabber.org/protocol/disco#items'>"
        "<item jid='mail.evil.co.uk'/><item jid='mail.co.uk'/></query></iq>";
    CHECK(read_disco_items(*doubles::read_tag(items), 10, domain("co.uk")).empty());
    CHECK(read_disco_items(*doubles::read_tag(items), 10, domain("evil.co.uk")) ==
          std::vector<std::string>{"mail.evil.co.uk"});
}

namespace {

std::string promise_fields(const std::vector<std::string>& domains, const std::string& until) {
    std::string fields =
        "<field var='domains'><value>b.test</value><value>c.test</value></field>"
        "<field var='promise'>";
    for (const auto& name : domains)
        fields += "<value>" + name + "</value>";
    fields += "</field>";
    if (!until.empty()) fields += "<field var='promise-until'><value>" + until + "</value></field>";
    return fields;
}

}  // namespace

// XEP-0082 3.2.
TEST_CASE("A promise names exact domains that the component serves, and a date") {
    const auto form = info_of(promise_fields({"B.test"}, "2026-12-08T10:00:00Z")).capability;
    REQUIRE(form);
    CHECK(form->promise_for(domain("b.test")) ==
          base::parse_datetime("2026-12-08T10:00:00Z").value());
    CHECK_FALSE(form->promise_for(domain("c.test")));
    CHECK_FALSE(form->promise_for(domain("x.b.test")));
}

TEST_CASE("A promise that is malformed is none, and the rest of the form counts") {
    const auto none = [](const std::vector<std::string>& domains, const std::string& until) {
        const auto form = info_of(promise_fields(domains, until)).capability;
        REQUIRE(form);
        CHECK(form->serves(domain("c.test")));
        CHECK_FALSE(form->promise_for(domain("b.test")));
    };
    for (const char* const until : {"", "tomorrow", "2026-12-08", "2026-13-08T10:00:00Z",
                                    "9999-12-31T23:59:59Z", "1900-01-01T00:00:00Z"})
        none({"b.test"}, until);
    const std::string good = "2026-12-08T10:00:00Z";
    none({}, good);
    none({"other.test", "no domain", ""}, good);  // it does not serve them
    none(std::vector<std::string>(100, "x.test"), good);
    std::vector<std::string> many(100, "x.test");
    many.emplace_back("b.test");
    none(many, good);  // one too many
    many.erase(many.begin());
    CHECK(info_of(promise_fields(many, good)).capability->promise_for(domain("b.test")));
}
