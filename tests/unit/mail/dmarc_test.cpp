#include "mail/dmarc.hpp"

#include <map>

#include <catch2/catch.hpp>

using mail::DmarcAnswer;
using mail::DmarcRecord;
using mail::DomainOwner;
using Psd = DmarcRecord::Psd;

namespace {

mail::Domain named(std::string_view text) {
    return *mail::Domain::parse(text);
}

constexpr const char* kSilence = "-";  // in the place of a record: the DNS does not answer

/// A small DNS: the record at `_dmarc` of each domain.
using Zone = std::map<std::string, std::string>;

DomainOwner owner(const std::string& name, const Zone& zone) {
    std::vector<DmarcAnswer> answers;
    for (const auto& asked : mail::dmarc_walk(named(name))) {
        const auto found = zone.find(asked);
        const bool known = found == zone.end() || found->second != kSilence;
        answers.push_back(
            {known, found == zone.end() ? std::nullopt : DmarcRecord::parse(found->second)});
    }
    return DomainOwner::by_walk(named(name), answers);
}
std::string organisation(const std::string& name, const Zone& zone) {
    return owner(name, zone).organisation.ascii();
}
std::string policy(const std::string& name, const Zone& zone) {
    const auto found = owner(name, zone).policy_domain;
    return found ? found->ascii() : "none";
}

}  // namespace

// RFC 9989 4.7, RFC 9989 4.8.
TEST_CASE("a record begins with its version, and what is wrong behind that has its default") {
    const auto is = [](std::string_view text, Psd psd, bool strict_dkim, bool strict_spf) {
        INFO(text);
        const DmarcRecord wanted{psd, strict_dkim, strict_spf};
        CHECK(DmarcRecord::parse(text) == wanted);
    };
    is("v=DMARC1", Psd::unsaid, false, false);
    is("v=DMARC1;p=none;", Psd::unsaid, false, false);
    is("V = DMARC1 ; p=reject; psd = Y ;adkim=S;\taspf\t=\ts", Psd::yes, true, true);
    is("v=DMARC1; psd=n; adkim=r; aspf=r; rua=mailto:x@a.test,mailto:y@b.test!10m", Psd::no, false,
       false);
    is("v=DMARC1; psd=u; sp=reject; np=reject; t=y", Psd::unsaid, false, false);
    is("v=DMARC1; psd=yes; adkim=ss; aspf=; x=adkim=s;;;=;adkim", Psd::unsaid, false, false);
    is("v=DMARC1; xpsd=y; adkim=s; aspf=s", Psd::unsaid, true, true);
    // Neither of two is right.
    is("v=DMARC1; psd=y; psd=n; adkim=s; ADKIM=s", Psd::unsaid, false, false);
    is("v=DMARC1; \xFF\xFE=\x01; aspf=s", Psd::unsaid, false, true);
    for (const char* const text :
         {"", ";", "v", "v=", "v=dmarc1", "v=DMARC2", "v=DMARC1 p=none", "v=DMARC11",
          "p=none;v=DMARC1", ";v=DMARC1", "x; v=DMARC1", "v=spf1 -all"}) {
        INFO(text);
        CHECK_FALSE(DmarcRecord::parse(text));
    }
    CHECK_FALSE(DmarcRecord::parse(std::string_view("v=DMARC1\0; psd=y", 16)));
    std::string long_one = "v=DMARC1";
    for (int i = 0; i < 100'000; ++i)
        long_one += ";psd=y";
    is(long_one, Psd::unsaid, false, false);
}

// RFC 9989 4.10.
TEST_CASE("of several records at one name none counts; what is no record does not count as one") {
    CHECK(DmarcRecord::only_one({"v=spf1 -all", "v=DMARC1; psd=n", ""})->psd == Psd::no);
    CHECK_FALSE(DmarcRecord::only_one({"v=DMARC1", "v=DMARC1"}));
    CHECK_FALSE(DmarcRecord::only_one({"v=DMARC1", "v=DMARC1", "v=DMARC1; psd=n"}));
    CHECK_FALSE(DmarcRecord::only_one({}));
}

// RFC 9989 4.10.
TEST_CASE("the walk goes up to the top, and asks at most eight times") {
    using Names = std::vector<std::string>;
    CHECK(mail::dmarc_walk(named("a.mail.example.com")) ==
          Names{"a.mail.example.com", "mail.example.com", "example.com", "com"});
    CHECK(mail::dmarc_walk(named("test")) == Names{"test"});
    CHECK(mail::dmarc_walk(named("a.b.c.d.e.f.g.h.i.j.mail.example.com")) ==
          Names{"a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com",
                "h.i.j.mail.example.com", "i.j.mail.example.com", "j.mail.example.com",
                "mail.example.com", "example.com", "com"});
    CHECK(mail::dmarc_walk(named("1.2.3.4.5.6.7.x")).size() == 8);
    CHECK(mail::dmarc_walk(named("1.2.3.4.5.6.x")).size() == 7);
    CHECK(mail::dmarc_walk(named("1.2.3.4.5.6.7.8.x"))[1] == "3.4.5.6.7.8.x");
    std::string most = "x";
    for (int i = 0; i < 120; ++i)
        most += ".x";
    CHECK(mail::dmarc_walk(named(most)).size() == 8);
    CHECK(mail::dmarc_walk(named("[192.0.2.1]")).empty());
}

// RFC 9989 4.10.2.
TEST_CASE("the organisation is where psd says, or else at the shortest name with a record") {
    const std::string plain = "v=DMARC1; p=none";
    const std::string yes = "v=DMARC1; psd=y";
    const std::string no = "v=DMARC1; psd=n";
    const std::string start = "a.mail.example.com";
    CHECK(organisation(start, {{"mail.example.com", plain}, {"example.com", plain}}) ==
          "example.com");
    CHECK(organisation(start, {{"mail.example.com", no}, {"example.com", plain}}) ==
          "mail.example.com");
    CHECK(organisation(start, {{"com", yes}}) == "example.com");
    CHECK(organisation(start, {{"example.com", yes}, {"com", plain}}) == "mail.example.com");
    CHECK(organisation(start, {{start, yes}, {"example.com", plain}}) == start);
    CHECK(organisation(start, {{start, plain}}) == start);
    // The other way round than the Public Suffix List has it.
    CHECK(organisation(start, {{"com", plain}}) == "com");
    CHECK(organisation("a.co.uk", {{"co.uk", plain}}) == "co.uk");
    CHECK(organisation("shop.example.com", {{"example.com", yes}}) == "shop.example.com");
    // Below a name that is too long to have been asked about.
    CHECK(organisation("a.b.c.d.e.f.g.h.example.com", {{"d.e.f.g.h.example.com", yes}}) ==
          "c.d.e.f.g.h.example.com");

    // The examples.
    const Zone bank{{"bank.example", yes}, {"giant.bank.example", plain}};
    CHECK(organisation("giant.bank.example", bank) == "giant.bank.example");
    CHECK(organisation("mail.giant.bank.example", bank) == "giant.bank.example");
    CHECK(organisation("mail.mega.bank.example", bank) == "mega.bank.example");
    const Zone simple{{"example.com", plain}, {"signing.example.com", plain}};
    CHECK(organisation("signing.example.com", simple) == "example.com");
    CHECK(organisation("a.b.c.d.e.f.g.h.i.j.k.example.com", simple) == "example.com");
}

TEST_CASE("where no name has a record, DMARC does not apply, and the Public Suffix List decides") {
    CHECK(organisation("news.example.co.uk", {}) == "example.co.uk");
    CHECK(policy("news.example.co.uk", {}) == "none");
    CHECK(organisation("[192.0.2.1]", {}) == "[192.0.2.1]");
}

// RFC 9989 4.10.1.
TEST_CASE("the policy is that of the domain, else of its organisation, else of its public suffix") {
    const std::string plain = "v=DMARC1; p=none";
    const std::string strict = "v=DMARC1; adkim=s; aspf=s";
    const std::string start = "a.mail.example.com";
    CHECK(policy(start, {{start, plain}, {"example.com", strict}}) == start);
    CHECK_FALSE(owner(start, {{start, plain}, {"example.com", strict}}).strict_dkim);
    // What stands between the domain and its organisation is not heeded.
    CHECK(policy(start, {{"mail.example.com", plain}, {"example.com", strict}}) == "example.com");
    CHECK(owner(start, {{"mail.example.com", plain}, {"example.com", strict}}).strict_dkim);
    CHECK(owner(start, {{"example.com", strict}}).strict_spf);
    const Zone suffix{{"com", "v=DMARC1; psd=y; aspf=s"}};
    CHECK(policy(start, suffix) == "com");
    CHECK(owner(start, suffix).strict_spf);
    CHECK_FALSE(owner(start, suffix).strict_dkim);
    CHECK(policy(start, {{"com", "v=DMARC1; psd=y"}, {"example.com", plain}}) == "example.com");
    CHECK(policy(start, {{"mail.example.com", "v=DMARC1; psd=n"}, {"example.com", plain}}) ==
          "mail.example.com");
}

TEST_CASE("what the DNS does not say, the Public Suffix List does, but not across a border") {
    const std::string yes = "v=DMARC1; psd=y";
    const std::string start = "a.shop.example.com";
    CHECK(organisation(start, {{"example.com", kSilence}, {"shop.example.com", "v=DMARC1"}}) ==
          "example.com");
    CHECK(organisation("a.co.uk", {{"uk", kSilence}, {"co.uk", "v=DMARC1"}}) == "a.co.uk");
    // Who is below example.com may keep silent about his own names: they are no neighbour's.
    CHECK(organisation(start,
                       {{start, kSilence}, {"shop.example.com", kSilence}, {"example.com", yes}}) ==
          "shop.example.com");
    CHECK(organisation(start, {{start, kSilence}, {"com", yes}}) == "example.com");
    CHECK(organisation("x.a.co.uk", {{"x.a.co.uk", kSilence}, {"uk", yes}}) == "a.co.uk");
    // What is above a border does not matter.
    CHECK(organisation(start, {{"shop.example.com", "v=DMARC1; psd=n"},
                               {"example.com", kSilence}}) == "shop.example.com");
    // The domain's own word counts whatever else there is, and without it nobody knows.
    const Zone strict{{start, "v=DMARC1; adkim=s"}, {"com", kSilence}};
    CHECK(policy(start, strict) == start);
    CHECK(owner(start, strict).strict_dkim);
    CHECK(policy(start, {{start, kSilence}, {"example.com", "v=DMARC1"}}) == "none");
    // Nothing was asked at all.
    CHECK(DomainOwner::by_walk(named(start), {}) == DomainOwner::by_public_suffix(named(start)));
}

TEST_CASE("two domains are compared by the list if the DNS did not say all of one of them") {
    const auto same = [](const std::string& one, const std::string& other, const Zone& zone) {
        const bool found = owner(one, zone).is_of_same_organisation(owner(other, zone));
        CHECK(found == owner(other, zone).is_of_same_organisation(owner(one, zone)));
        return found;
    };
    const Zone plain{{"test", "v=DMARC1"}, {"x.a.test", kSilence}};
    CHECK(same("a.test", "b.test", plain));
    CHECK(same("a.test", "x.a.test", plain));
    CHECK_FALSE(same("b.test", "x.a.test", plain));
    // No silence helps across a border.
    Zone host{{"host.test", "v=DMARC1; psd=y"}, {"evil.host.test", kSilence}};
    CHECK_FALSE(same("evil.host.test", "good.host.test", host));
    CHECK_FALSE(same("evil.host.test", "host.test", host));
    CHECK(same("evil.host.test", "x.evil.host.test", host));
    host = {{"own.a.test", "v=DMARC1; psd=n"}, {"x.a.test", kSilence}};
    CHECK_FALSE(same("own.a.test", "x.a.test", host));
    CHECK(same("a.test", "x.a.test", host));
    // Nothing is known without the DNS.
    CHECK(DomainOwner::by_public_suffix(named("x.a.test"))
              .is_of_same_organisation(owner("a.test", plain)));
}
