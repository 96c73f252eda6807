// Transfer policy: what is refused of a transfer, and with which reply.
#include "component/incoming/transfer_policy.hpp"

#include "support/component/doubles.hpp"

using namespace component;
using namespace doubles;
using namespace std::chrono_literals;

namespace {

mail::EnhancedStatus status_of(const std::optional<mail::Reply>& refusal) {
    return refusal ? refusal->status : mail::EnhancedStatus{2, 0, 0};
}

}  // namespace

TEST_CASE("A component takes mail for its own domains, not for another component's") {
    const queue::Router router(
        {{domain("a.test"), "mail.a.test"}, {domain("c.test"), "mail.c.test"}}, "mail.a.test");
    ComponentSettings settings;
    settings.jid = "mail.a.test";
    settings.domains = {domain("a.test"), domain("gone.test")};
    mail::Envelope plain;
    const auto refusal = [&](const char* address, bool smtputf8 = false) {
        plain.smtputf8 = smtputf8;
        return check_recipient(plain, *mail::Mailbox::parse(address), settings, router);
    };
    CHECK_FALSE(refusal("alice@a.test"));
    CHECK(status_of(refusal("carol@c.test")) == mail::EnhancedStatus{5, 7, 1});
    CHECK(status_of(refusal("dora@gone.test")) == mail::EnhancedStatus{5, 7, 1});
    CHECK(status_of(refusal("bob@sub.a.test")) == mail::EnhancedStatus{5, 7, 1});
    CHECK(status_of(refusal("j\xC3\xB6rg@a.test")) == mail::EnhancedStatus{5, 6, 7});
    CHECK_FALSE(refusal("j\xC3\xB6rg@a.test", true));
}

TEST_CASE("A verdict is one for the domains of a component that the recipients name, each once") {
    ComponentSettings settings;
    settings.domains = {domain("a.test"), domain("a2.test"), domain("a3.test")};
    mail::Envelope envelope;
    for (const char* const address :
         {"x@a2.test", "y@a2.test", "x@a.test", "x@c.test", "x@x.a.test"})
        envelope.recipients.push_back({0, *mail::Mailbox::parse(address), {}, ""});
    CHECK(domains_of_recipients(envelope, settings) ==
          std::set{domain("a.test"), domain("a2.test")});
}

TEST_CASE("A transfer has an end that lies ahead, and no further than we remember it") {
    const base::TimePoint now{1'800'000'000s};
    IncomingTransfer transfer{{domain("a.test"), "018f00000001"}, {}, now, {}, 0, 0};
    const auto refused = [&](base::TimePoint expires) {
        transfer.expires = expires;
        return check_expiry(transfer, now).has_value();
    };
    CHECK(refused(now));
    CHECK_FALSE(refused(now + 1s));
    CHECK_FALSE(refused(now + base::limits::kRetention));
    CHECK(refused(now + base::limits::kRetention + 1s));
    // Which of the two clocks is wrong is to be seen by whoever reads it.
    transfer.expires = now - 24h;
    CHECK(check_expiry(transfer, now)->to_text() ==
          "451 4.4.7 the transfer has expired (2027-01-14T08:00:00Z) by our clock, which shows "
          "2027-01-15T08:00:00Z");
}

TEST_CASE("What is refused of a content") {
    IncomingTransfer transfer{{domain("a.test"), "018f00000001"}, {}, {}, {}, 0, 0};
    const auto status = [&](const std::string& content, bool right_hash = true) {
        transfer.hash = mail::sha256(right_hash ? content : content + "x");
        return status_of(check_content(transfer, ContentCheck::of(content)));
    };
    CHECK(status("Subject: x\r\n\r\nHi.\r\n") == mail::EnhancedStatus{2, 0, 0});
    CHECK(status("Subject: x\r\n\r\nHi.\r\n", false) == mail::EnhancedStatus{5, 6, 0});
    CHECK(status("Subject: x\r\n\r\nbare\nline\r\n") == mail::EnhancedStatus{5, 6, 0});
    CHECK(status("no field\r\n\r\nHi.\r\n") == mail::EnhancedStatus{5, 6, 0});
    std::string loop;
    for (std::size_t i = 0; i <= base::limits::kReceived; ++i)
        loop += "Received: by x.test; now\r\n";
    CHECK(status(loop + "\r\n") == mail::EnhancedStatus{5, 4, 6});
}

TEST_CASE("Whose sender needs an authorisation of its own") {
    IncomingTransfer transfer{{domain("a.test"), "018f00000001"}, {}, {}, {}, 0, 0};
    CHECK_FALSE(is_foreign_sender(transfer));
    for (const auto& [address, foreign] : {std::pair{"alice@a.test", false},
                                           {"alice@news.a.test", false},
                                           {"alice@b.test", true},
                                           {"alice@xa.test", true}}) {
        transfer.envelope.from = *mail::Mailbox::parse(address);
        CHECK(is_foreign_sender(transfer) == foreign);
    }
}
