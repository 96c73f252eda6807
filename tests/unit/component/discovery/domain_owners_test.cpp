#include "component/discovery/domain_owners.hpp"

#include "support/fakes.hpp"

#include <list>

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace component;
using namespace std::chrono_literals;

namespace {

class ScriptedTexts final : public TextResolver {
  public:
    base::Task<std::vector<TextAnswer>> find_texts(std::vector<std::string> names,
                                                   std::chrono::milliseconds limit) override {
        ++asked;
        std::vector<TextAnswer> found;
        found.reserve(names.size());
        bool is_held = false;
        for (const auto& name : names) {
            const auto text = texts.find(name);
            found.push_back(text == texts.end() ? TextAnswer{true, {}, {}} : text->second);
            is_held = is_held || name.find(held) != std::string::npos;
        }
        if (is_held) {
            auto& end = waiting.emplace_back(co_await base::asio::this_coro::executor);
            if (!co_await end.wait(limit)) found.assign(names.size(), {});
        }
        co_return found;
    }
    /// Answers what it has not so far.
    void let_go() {
        held = kNone;
        for (auto& end : waiting)
            end.set(true);
    }
    static constexpr std::string_view kNone = "-none-";
    std::string_view held = kNone;  ///< names that have this in them are not answered
    std::list<base::OneShot<bool>> waiting;
    std::map<std::string, TextAnswer> texts;  ///< by name; of all others there are none
    int asked = 0;
};

/// The owners of domains, as a scripted DNS has them, in virtual time.
struct Owners {
    Owners() : time(io) {
        auto scripted = std::make_unique<ScriptedTexts>();
        dns = scripted.get();
        owners = std::make_unique<DomainOwners>(io.get_executor(), time, std::move(scripted));
    }
    void publish(const std::string& name, const std::string& text,
                 std::chrono::seconds ttl = 1000s) {
        dns->texts["_dmarc." + name] = {true, {text}, ttl};
    }
    /// The organisations of the domains that a mail of `cause` shows.
    std::vector<std::string> find(std::vector<std::string> names,
                                  const std::string& cause = "a.test") {
        std::vector<mail::Domain> domains;
        domains.reserve(names.size());
        for (const auto& name : names)
            domains.push_back(*mail::Domain::parse(name));
        const auto found = support::run<std::vector<mail::DomainOwner>>(
            io, [&] { return owners->find(domains, mail::Organisation::of(cause)); });
        std::vector<std::string> organisations;
        organisations.reserve(found.size());
        for (const auto& owner : found)
            organisations.push_back(owner.organisation.ascii());
        return organisations;
    }
    /// A hand-over that goes on by itself; `ended` counts those that have.
    void hand_over(const std::string& name, const std::string& cause) {
        ++begun;
        base::spawn(io.get_executor(), "hand-over", [this, name, cause]() -> base::Task<void> {
            std::vector<mail::Domain> domains{*mail::Domain::parse(name)};
            auto of = mail::Organisation::of(cause);
            co_await owners->find(std::move(domains), std::move(of));
            ++ended;
        });
    }
    std::size_t waiting() {
        time.advance(0ms);
        return begun - ended;
    }

    boost::asio::io_context io;
    support::VirtualTime time;
    ScriptedTexts* dns = nullptr;
    std::unique_ptr<DomainOwners> owners;
    std::size_t begun = 0;
    std::size_t ended = 0;
};

using Names = std::vector<std::string>;

}  // namespace

// RFC 9989 4.10.
TEST_CASE("Whom domains belong to is asked of the DNS, and kept as long as its records are") {
    Owners site;
    site.publish("test", "v=DMARC1; p=none", 300s);
    site.publish("b.test", "v=DMARC1; psd=n", 200s);
    CHECK(site.find({"a.test", "x.b.test"}) == Names{"test", "b.test"});
    CHECK(site.dns->asked == 2);
    site.publish("test", "v=DMARC1; psd=y", 300s);
    site.time.advance(199s);
    CHECK(site.find({"a.test", "x.b.test"}) == Names{"test", "b.test"});
    CHECK(site.dns->asked == 2);
    site.time.advance(102s);
    CHECK(site.find({"a.test", "x.b.test"}) == Names{"a.test", "b.test"});
    CHECK(site.dns->asked == 4);
    CHECK(site.owners->kept() == 2);
}

TEST_CASE("No owner is kept for less than a minute, or for more than an hour") {
    Owners site;
    site.publish("x.test", "v=DMARC1; psd=n", 0s);
    site.publish("test", "v=DMARC1; p=none", std::chrono::hours(1000));
    site.find({"x.test"});
    site.time.advance(59s);
    site.find({"x.test"});
    CHECK(site.dns->asked == 1);
    site.time.advance(2s);
    site.find({"x.test"});
    CHECK(site.dns->asked == 2);
    // All names of its walk have a record.
    site.find({"test"});
    site.time.advance(59min);
    site.find({"test"});
    CHECK(site.dns->asked == 3);
    site.time.advance(2min);
    site.find({"test"});
    CHECK(site.dns->asked == 4);
}

TEST_CASE("So many owners are kept, and those go first that are out of date first") {
    Owners site;
    site.publish("first.test", "v=DMARC1", 100s);
    site.find({"first.test"});
    for (int i = 0; i < 10'000; ++i)
        site.find({fmt::format("x{}.test", i)});
    CHECK(site.owners->kept() == 10'000);
    site.dns->asked = 0;
    site.find({"x0.test"});
    CHECK(site.dns->asked == 0);
    site.find({"first.test"});
    CHECK(site.dns->asked == 1);
}

TEST_CASE("What the DNS does not say in time, the Public Suffix List does, and the mail goes on") {
    Owners site;
    site.publish("test", "v=DMARC1; p=none");
    site.dns->held = "silent";
    CHECK(site.find({"a.test", "x.silent.test"}) == Names{"test", "silent.test"});
    CHECK(site.time.elapsed() <= kOwnersTime);
    CHECK(site.time.elapsed() >= 1s);

    SECTION("for a minute, that of its sender waits for nothing") {
        const auto before = site.time.elapsed();
        CHECK(site.find({"silent.test"}) == Names{"silent.test"});
        CHECK(site.find({"other.silent.test"}, "mail.a.test") == Names{"silent.test"});
        CHECK(site.find({"b.test"}) == Names{"b.test"});
        CHECK(site.find({"a.test"}) == Names{"test"});  // that is kept
        CHECK(site.time.elapsed() == before);
    }
    SECTION("that of others is looked up, unless the domain is known to be silent") {
        CHECK(site.find({"b.test"}, "c.test") == Names{"test"});
        const auto before = site.time.elapsed();
        CHECK(site.find({"x.silent.test"}, "c.test") == Names{"silent.test"});
        CHECK(site.time.elapsed() == before);
    }
    SECTION("after that it is asked again") {
        site.time.advance(61s);
        site.dns->let_go();
        CHECK(site.find({"x.silent.test"}) == Names{"test"});
    }
}

TEST_CASE("One look-up of a domain is under way, whoever waits for it") {
    Owners site;
    site.publish("test", "v=DMARC1; p=none");
    site.dns->held = "b.test";
    site.hand_over("b.test", "one.test");
    site.hand_over("b.test", "two.test");
    site.hand_over("b.test", "three.test");
    CHECK(site.waiting() == 3);
    CHECK(site.dns->asked == 1);
    site.dns->let_go();
    CHECK(site.waiting() == 0);
    CHECK(site.find({"b.test"}) == Names{"test"});
    CHECK(site.dns->asked == 1);
}

TEST_CASE("Strangers whose DNS is silent hold up few hand-overs, and those not for long") {
    Owners site;
    site.dns->held = "evil";
    for (int i = 0; i < 100; ++i)
        site.hand_over(fmt::format("x{}.evil.test", i), fmt::format("mail{}.evil.test", i));
    CHECK(site.waiting() == 2);
    for (int i = 0; i < 100; ++i)
        site.hand_over("evil.test", fmt::format("evil{}.test", i));
    CHECK(site.waiting() == DomainOwners::kWaiting);
    CHECK(site.dns->asked == 3);
    site.time.advance(kOwnersTime);
    CHECK(site.waiting() == 0);
    for (int i = 0; i < 100; ++i)
        site.hand_over(fmt::format("y{}.evil.test", i), "mail.evil.test");
    CHECK(site.waiting() == 0);
    // Others have their places.
    site.publish("test", "v=DMARC1; p=none");
    CHECK(site.find({"good.test"}, "good.test") == Names{"test"});
}

TEST_CASE("At the end nothing is asked any more, and what is under way ends by itself") {
    Owners site;
    site.dns->held = "b.test";
    site.hand_over("b.test", "a.test");
    CHECK(site.waiting() == 1);
    bool stopped = false;
    base::spawn(site.io.get_executor(), "stop", [&]() -> base::Task<void> {
        co_await site.owners->stop();
        stopped = true;
    });
    CHECK(site.waiting() == 1);
    CHECK_FALSE(stopped);
    site.time.advance(kOwnersTime);
    CHECK(stopped);
    CHECK(site.waiting() == 0);
    CHECK(site.find({"c.test"}) == Names{"c.test"});
    CHECK(site.dns->asked == 1);
}
