#include "smtp-bridge/client/recipient_cache.hpp"

#include "support/smtp-bridge/fixture.hpp"

#include <catch2/catch.hpp>

using fixture::mailbox;
using smtp_bridge::RecipientCache;

TEST_CASE("the cache is bounded, in number and in time") {
    RecipientCache cache(10);
    const RecipientCache::TimePoint now{};
    const mail::Reply yes{250, {2, 1, 5}, ""};
    for (int i = 0; i < 100; ++i)
        cache.add({}, mailbox(("r" + std::to_string(i) + "@b.test").c_str()), yes,
                  RecipientCache::About::recipient, now);
    CHECK(cache.size() == 10);
    const auto last = mailbox("r99@b.test");
    for (int i = 0; i < 100; ++i)
        cache.add({}, last, yes, RecipientCache::About::recipient, now);
    CHECK(cache.size() <= 10);
    CHECK(cache.find({}, last, now + std::chrono::seconds(59)));
    CHECK_FALSE(cache.find({}, last, now + std::chrono::seconds(60)));
    cache.add({}, last, {451, {4, 3, 0}, ""}, RecipientCache::About::recipient, now);
    CHECK(cache.find({}, last, now)->code == 250);
}
