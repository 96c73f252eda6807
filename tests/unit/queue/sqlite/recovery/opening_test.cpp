#include "queue/sqlite/recovery/opening.hpp"

#include "support/queue/fixture.hpp"

#include <cstdio>

#include <catch2/catch.hpp>

using namespace support;

TEST_CASE("a store is refused to a second daemon, and when it is damaged or newer") {
    StoreFixture queue;
    auto second =
        queue::open_queue(settings_in(queue.folder), a_test_router(), queue.clock, queue.random);
    REQUIRE_FALSE(second);
    CHECK(second.error().text.find("another packetboat uses this queue") != std::string::npos);

    Folder newer;
    {
        SQLite::Database raw((newer.path() / "queue.db").string(),
                             SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        raw.exec("PRAGMA user_version = 99");
    }
    auto refused =
        queue::open_queue(settings_in(newer), a_test_router(), queue.clock, queue.random);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().text.find("version 99") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(newer.path() / "content"));

    Folder foreign;
    {
        SQLite::Database raw((foreign.path() / "queue.db").string(),
                             SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        raw.exec("CREATE TABLE recipe (cake TEXT)");
    }
    refused = queue::open_queue(settings_in(foreign), a_test_router(), queue.clock, queue.random);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().text.find("not that of a queue") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(foreign.path() / "queue.db-wal"));

    Folder damaged;
    {
        std::FILE* const file = std::fopen((damaged.path() / "queue.db").c_str(), "w");
        REQUIRE(file != nullptr);
        std::fputs(std::string(4096, 'x').c_str(), file);
        std::fclose(file);
    }
    refused = queue::open_queue(settings_in(damaged), a_test_router(), queue.clock, queue.random);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().text.find("damaged") != std::string::npos);
}
