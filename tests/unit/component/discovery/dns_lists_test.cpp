#include "component/discovery/dns_lists.hpp"

#include "support/fakes.hpp"
#include "support/log_lines.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace component;
using namespace std::chrono_literals;
using queue::PeerClass;

namespace {

constexpr std::uint32_t kListed = 0x7F000002;

class ScriptedAddresses final : public AddressResolver {
  public:
    base::Task<std::vector<AddressAnswer>> find_addresses(
        std::vector<std::string> names, std::chrono::milliseconds limit) override {
        std::vector<AddressAnswer> found;
        found.reserve(names.size());
        bool is_silent = false;
        const bool is_late = !late.empty() && names.front() == late;
        for (const auto& name : names) {
            asked.push_back(name);
            const auto answer = answers.find(name);
            found.push_back(answer != answers.end() ? answer->second
                                                    : AddressAnswer{true, others, 3600s});
            is_silent = is_silent || (!silent.empty() && name.ends_with(silent));
        }
        if (is_late) co_await base::sleep_for(limit / 2);
        if (is_silent) {
            co_await base::sleep_for(limit);
            found.assign(names.size(), {});
        }
        co_return found;
    }
    std::map<std::string, AddressAnswer> answers;
    std::vector<std::uint32_t> others;  ///< for all other names
    std::string silent;                 ///< names that end so are not answered
    std::string late;                   ///< this one is, by a second
    std::vector<std::string> asked;
};

/// A site that asks lists in the DNS, in virtual time.
struct Site {
    Site() : time(io), lists(time) {
        auto scripted = std::make_unique<ScriptedAddresses>();
        dns = scripted.get();
        dns_lists = std::make_unique<DnsLists>(io.get_executor(), time, lists, std::move(scripted));
        publish("test.bad.test");
    }
    ~Site() {
        support::run<bool>(io, [this]() -> base::Task<bool> {
            co_await dns_lists->stop();
            co_return true;
        });
    }
    void publish(const std::string& name, std::vector<std::uint32_t> addresses = {kListed},
                 std::chrono::seconds ttl = 600s) {
        dns->answers[name] = {true, std::move(addresses), ttl};
    }
    void use(PeerClass makes = PeerClass::blocked) {
        dns_lists->use({{"bad.test", makes, {}, "test"}});
        time.advance(0ms);
        dns->asked.clear();
    }
    void mail_from(const std::string& domain, std::chrono::milliseconds then = 0ms) {
        dns_lists->ask(*mail::Domain::parse(domain));
        time.advance(then);
    }
    PeerClass class_of(const std::string& domain) {
        const auto listing = lists.find(*mail::Domain::parse(domain));
        return listing ? listing->makes : PeerClass::none;
    }
    void minute_passes() {
        time.advance(1min);
        dns_lists->look();
        time.advance(0ms);
    }

    boost::asio::io_context io;
    support::VirtualTime time;
    queue::PeerLists lists;
    ScriptedAddresses* dns = nullptr;
    std::unique_ptr<DnsLists> dns_lists;
};

using Names = std::vector<std::string>;

}  // namespace

// RFC 5782 3.
TEST_CASE("a list is asked about the domain that mail comes for, and the registrable one") {
    Site site;
    site.publish("evil.test.bad.test");
    site.use();
    CHECK(site.class_of("x.evil.test") == PeerClass::none);
    site.mail_from("x.evil.test");
    CHECK(site.dns->asked == Names{"x.evil.test.bad.test", "evil.test.bad.test"});
    CHECK(site.class_of("x.evil.test") == PeerClass::blocked);
    CHECK(site.class_of("evil.test") == PeerClass::blocked);
    site.mail_from("good.test");
    CHECK(site.class_of("good.test") == PeerClass::none);
    CHECK(site.dns->asked.size() == 3);
    // What is known is not asked again.
    site.mail_from("y.evil.test");
    CHECK(site.dns->asked.size() == 4);
    CHECK(site.dns->asked.back() == "y.evil.test.bad.test");
    site.mail_from("[192.0.2.1]");
    CHECK(site.dns->asked.size() == 4);
}

TEST_CASE("praise is asked for a name only") {
    Site site;
    site.publish("fine.test.bad.test");
    site.use(PeerClass::good);
    site.mail_from("x.fine.test");
    CHECK(site.dns->asked == Names{"x.fine.test.bad.test"});
    site.mail_from("fine.test");
    CHECK(site.class_of("fine.test") == PeerClass::good);
    CHECK(site.class_of("x.fine.test") == PeerClass::none);
}

TEST_CASE("whom a file names no list in the DNS hears of") {
    Site site;
    site.use();
    site.lists.use_files({{PeerClass::trusted, "/good",
                           std::make_shared<const queue::DomainList>(
                               queue::DomainList::parse("friend.test").value())}});
    site.mail_from("friend.test");
    CHECK(site.dns->asked.empty());
}

// RFC 5782 4.
TEST_CASE(
    "an answer is kept as long as its records are, within bounds, and counts until a new one") {
    Site site;
    site.publish("evil.test.bad.test", {kListed}, 300s);
    site.publish("brief.test.bad.test", {kListed}, 0s);
    site.publish("long.test.bad.test", {kListed}, std::chrono::hours(1000));
    site.use();
    for (const char* const domain : {"evil.test", "brief.test", "long.test", "absent.test"})
        site.mail_from(domain);
    const auto asks_again = [&](const char* domain, std::chrono::milliseconds after) {
        site.time.advance(after);
        site.dns->asked.clear();
        site.mail_from(domain);
        return !site.dns->asked.empty();
    };
    CHECK_FALSE(asks_again("brief.test", 59s));
    CHECK(asks_again("brief.test", 1s));
    CHECK_FALSE(asks_again("evil.test", 239s));
    // It is off the list.
    site.dns->answers.erase("evil.test.bad.test");
    CHECK(site.class_of("evil.test") == PeerClass::blocked);
    CHECK(asks_again("evil.test", 1s));
    CHECK(site.class_of("evil.test") == PeerClass::none);
    CHECK_FALSE(asks_again("absent.test", 299s));
    CHECK(asks_again("absent.test", 1s));
    CHECK_FALSE(asks_again("long.test", std::chrono::seconds(2999)));
    CHECK(asks_again("long.test", 1s));
}

// RFC 5782 5.
TEST_CASE("a list is not used unless it has its test entry, and lacks what no list has") {
    Site site;
    site.publish("evil.test.bad.test");
    support::LogLines log;
    const auto is_used = [&] {
        site.use();
        site.mail_from("evil.test");
        return site.class_of("evil.test") == PeerClass::blocked;
    };
    SECTION("good") {
        CHECK(is_used());
        CHECK(log.count("dns-list-used") == 1);
    }
    SECTION("nothing is on it: a dead zone") {
        site.dns->answers.clear();
        CHECK_FALSE(is_used());
    }
    SECTION("everything is on it: a wildcard") {
        site.dns->others = {kListed};
        CHECK_FALSE(is_used());
    }
    SECTION("everything has the address of a web server") {
        site.dns->answers.clear();
        site.dns->others = {0x0A010203};
        CHECK_FALSE(is_used());
    }
    SECTION("it says that it does not serve us") {
        site.publish("test.bad.test", {0x7FFFFFFE});
        CHECK_FALSE(is_used());
        site.publish("test.bad.test", {0x7F000001});
        CHECK_FALSE(is_used());
    }
    SECTION("it is silent") {
        site.dns->silent = "bad.test";
        site.use();
        site.time.advance(2s);
        site.mail_from("evil.test");
        CHECK(site.dns->asked.empty());
    }
    CHECK(log.count("dns-list-unused") + log.count("dns-list-used") == 1);
}

TEST_CASE("one that has gone wrong counts for nothing until it behaves again") {
    Site site;
    site.publish("evil.test.bad.test");
    site.use();
    site.mail_from("evil.test");
    REQUIRE(site.class_of("evil.test") == PeerClass::blocked);
    site.dns->asked.clear();
    support::LogLines log;
    SECTION("as the test finds out, every five minutes") {
        site.dns->others = {kListed};
        for (int i = 0; i < 4; ++i)
            site.minute_passes();
        CHECK(site.class_of("evil.test") == PeerClass::blocked);
        CHECK(site.dns->asked.empty());
        site.minute_passes();
    }
    SECTION("as an answer shows") {
        site.publish("next.test.bad.test", {0x7FFFFFFF});
        site.mail_from("next.test");
    }
    CHECK(site.class_of("evil.test") == PeerClass::none);
    CHECK(log.count("dns-list-unused") == 1);
    site.dns->others = {};
    site.dns->asked.clear();
    for (int i = 0; i < 4; ++i) {
        site.minute_passes();
        site.mail_from("evil.test");
    }
    CHECK(site.dns->asked.empty());
    site.minute_passes();
    CHECK(site.dns->asked == Names{"test.bad.test", "invalid.bad.test"});
    CHECK(log.count("dns-list-used") == 1);
    site.mail_from("evil.test");
    CHECK(site.class_of("evil.test") == PeerClass::blocked);
}

TEST_CASE("a list is looked at before it has mail refused for good") {
    Site site;
    site.publish("evil.test.bad.test");
    site.use();
    site.time.advance(61s);
    support::LogLines log;
    const Names with_test{"evil.test.bad.test", "test.bad.test", "invalid.bad.test"};
    SECTION("it behaves: its word counts at once, and for a minute without another look") {
        site.mail_from("evil.test");
        CHECK(site.dns->asked == with_test);
        CHECK(site.class_of("evil.test") == PeerClass::blocked);
        site.publish("next.test.bad.test");
        site.mail_from("next.test", 60s);
        CHECK(site.dns->asked.size() == 4);
        CHECK(site.class_of("next.test") == PeerClass::blocked);
    }
    SECTION("it lists everything by now") {
        site.dns->others = {kListed};
        site.mail_from("evil.test");
        CHECK(site.dns->asked == with_test);
        CHECK(site.class_of("evil.test") == PeerClass::none);
        CHECK(log.count("dns-list-unused") == 1);
    }
    SECTION("it does not answer to that") {
        site.dns->silent = "invalid.bad.test";
        site.mail_from("evil.test", 2s);
        CHECK(site.class_of("evil.test") == PeerClass::none);
    }
    SECTION("what it does not list needs no look") {
        site.mail_from("fine.test");
        CHECK(site.dns->asked == Names{"fine.test.bad.test"});
    }
}

TEST_CASE("a silent list is left alone for a while, and what it has said still counts") {
    Site site;
    site.publish("evil.test.bad.test", {kListed}, 60s);
    site.use(PeerClass::limited);
    site.mail_from("evil.test");
    support::LogLines log;
    site.dns->silent = "bad.test";
    site.time.advance(1min);
    site.dns->asked.clear();
    site.mail_from("evil.test", 2s);
    CHECK(site.dns->asked.size() == 1);
    CHECK(log.count("dns-list-unused") == 1);
    site.mail_from("evil.test", 59s);
    site.mail_from("evil.test");
    CHECK(site.dns->asked.size() == 1);
    CHECK(site.class_of("evil.test") == PeerClass::limited);
    site.dns->silent.clear();
    site.time.advance(1s);
    site.mail_from("evil.test");
    CHECK(site.dns->asked.size() == 2);
    CHECK(log.count("dns-list-unused") == 1);
    CHECK(log.count("dns-list-used") == 1);
    // After an hour beyond its time, it is forgotten.
    site.dns->silent = "bad.test";
    site.time.advance(60s + 1h - 1s);
    CHECK(site.class_of("evil.test") == PeerClass::limited);
    site.time.advance(1s);
    CHECK(site.class_of("evil.test") == PeerClass::none);
}

TEST_CASE("only so much is asked at once, and little of it for one organisation") {
    Site site;
    site.use();
    site.dns->silent = "bad.test";
    for (int i = 0; i < 10; ++i)
        site.mail_from(fmt::format("n{}.evil.test", i));
    // The registrable domain is asked about with the first.
    CHECK(site.dns->asked.size() == 1 + DnsList::kAskingOfOne);
    for (std::size_t i = 0; i < 2 * DnsList::kAsking; ++i)
        site.mail_from(fmt::format("other{}.test", i));
    CHECK(site.dns->asked.size() == 1 + DnsList::kAsking);
    // And the same is not asked twice.
    site.dns->silent.clear();
    site.time.advance(2min);
    site.dns->asked.clear();
    site.dns->silent = "bad.test";
    site.mail_from("a.test");
    site.mail_from("a.test");
    CHECK(site.dns->asked == Names{"a.test.bad.test"});
}

TEST_CASE("another configuration: what stays is tested, what goes is forgotten") {
    Site site;
    site.publish("evil.test.bad.test");
    site.use();
    site.mail_from("evil.test");
    site.dns_lists->use({{"bad.test", PeerClass::blocked, {}, "test"}});
    site.time.advance(0ms);
    CHECK(site.dns->asked.back() == "invalid.bad.test");
    CHECK(site.class_of("evil.test") == PeerClass::blocked);
    site.dns_lists->use({{"bad.test", PeerClass::limited, {}, "test"}});
    site.time.advance(0ms);
    CHECK(site.class_of("evil.test") == PeerClass::none);
    site.mail_from("evil.test");
    CHECK(site.class_of("evil.test") == PeerClass::limited);
    // What is under way when it goes.
    site.publish("next.test.bad.test");
    site.dns->late = "next.test.bad.test";
    site.mail_from("next.test");
    site.dns_lists->use({});
    site.time.advance(2s);
    CHECK(site.class_of("evil.test") == PeerClass::none);
    CHECK(site.class_of("next.test") == PeerClass::none);
    site.dns->asked.clear();
    site.mail_from("evil.test");
    CHECK(site.dns->asked.empty());
}
