#include "queue/sqlite/admin/offline.hpp"

#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;

TEST_CASE("a queue is verified and backed up while no daemon has it, and only then") {
    const Folder folder;
    const auto file = folder.path() / "backup";
    {
        StoreFixture queue;
        queue.add(arrival("alice@a.test", {"bob@b.test"}));
        const auto in_use = queue::verify_offline(queue.folder.path());
        REQUIRE_FALSE(in_use);
        CHECK(in_use.error().code == base::Errc::storage);
        CHECK_FALSE(queue::back_up_offline(queue.folder.path(), file));
        std::filesystem::copy(queue.folder.path(), folder.path() / "queue",
                              std::filesystem::copy_options::recursive);
    }
    const auto found = queue::verify_offline(folder.path() / "queue");
    REQUIRE(found);
    CHECK(found->empty());
    const auto facts = queue::back_up_offline(folder.path() / "queue", file);
    REQUIRE(facts);
    CHECK(facts->messages == 1);
    const auto again = queue::back_up_offline(folder.path() / "queue", file);
    REQUIRE_FALSE(again);
    CHECK(again.error().code == base::Errc::conflict);
}

TEST_CASE("what is no queue is said to be none") {
    const Folder folder;
    const auto missing = queue::verify_offline(folder.path());
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == base::Errc::not_found);
    {
        SQLite::Database other(folder.path() / "queue.db",
                               SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    }
    const auto other = queue::verify_offline(folder.path());
    REQUIRE_FALSE(other);
    CHECK(other.error().code == base::Errc::storage);
}
