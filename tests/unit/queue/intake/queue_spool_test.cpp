// QueueSpool: the real storage thread, on a store in a folder.
#include "queue/intake/queue_spool.hpp"

#include "queue/intake/queue_intake.hpp"
#include "queue/sqlite/sqlite_ledger.hpp"
#include "support/contents.hpp"
#include "support/queue/fixture.hpp"
#include "support/queue/looking_ledger.hpp"

#include <fstream>

#include <catch2/catch.hpp>

using namespace support;

namespace {

/// A queue with a door and nothing behind it.
struct Door {
    explicit Door(const Folder& folder, std::uintmax_t reserve = 0)
        : storage(std::make_unique<queue::StorageThread>(io.get_executor(), open(folder, reserve))),
          intake(std::make_unique<queue::QueueIntake>(*storage, [](const queue::Destination&) {})) {
    }
    std::unique_ptr<queue::Ledger> open(const Folder& folder, std::uintmax_t reserve) {
        auto settings = settings_in(folder);
        settings.disk_reserve = reserve;
        auto store = queue::open_queue(settings, a_test_router(), clock, random);
        if (!store) throw std::runtime_error(store.error().text);
        return std::make_unique<queue::SqliteLedger>(std::move(*store));
    }
    /// As a process that ends in the middle: the spools that are left do nothing any more.
    void crash() {
        intake.reset();
        storage.reset();
    }

    base::Result<std::shared_ptr<queue::Spool>> spool() {
        return run<base::Result<std::shared_ptr<queue::Spool>>>(io,
                                                                [&] { return intake->spool(); });
    }
    bool append(queue::Spool& spool, std::string bytes) {
        return run<bool>(io, [&]() -> base::Task<bool> {
            const auto written = co_await spool.append(std::move(bytes));
            co_return written.has_value();
        });
    }
    base::Result<queue::Content> content(queue::Spool& spool) {
        return run<base::Result<queue::Content>>(io, [&] { return spool.content(); });
    }
    /// Stores a mail whose content is in `spool`.
    bool accept(queue::Spool& spool) {
        return run<bool>(io, [&]() -> base::Task<bool> {
            auto mail = arrival("alice@a.test", {"alice@a.test"});
            const auto all = co_await spool.content();
            mail.content = *all;
            mail.file = spool.file();
            const auto receipt = co_await intake->accept(std::move(mail));
            co_return receipt.has_value();
        });
    }
    /// Returns once the storage thread has done all that was asked for before.
    void settle() { wait_for(io, *storage); }

    boost::asio::io_context io;
    ManualClock clock;
    SeededRandom random;
    std::unique_ptr<queue::StorageThread> storage;
    std::unique_ptr<queue::QueueIntake> intake;
};

const std::string kFirst = "Subject: large\r\n\r\n" + std::string(300'000, 'x');
const std::string kSecond = std::string(300'000, 'y') + "\r\n";

}  // namespace

TEST_CASE("a spool holds what was put into it, and its file goes with the last handle") {
    const Folder folder;
    Door door(folder);
    auto spool = *door.spool();
    const auto other = *door.spool();
    CHECK(spool->file() != other->file());
    CHECK(door.append(*spool, kFirst));
    CHECK(door.append(*other, "other"));
    CHECK(door.append(*spool, kSecond));
    const auto content = door.content(*spool);
    REQUIRE(content);
    CHECK(all_of(*content) == kFirst + kSecond);
    CHECK(folder.files_in("spool") == 2);
    spool.reset();
    door.settle();
    CHECK(folder.files_in("spool") == 1);
    CHECK(all_of(*content) == kFirst + kSecond);  // whoever looks at it still can
}

TEST_CASE("an arrival takes the file, and nothing is copied or left behind") {
    const Folder folder;
    {
        Door door(folder);
        auto spool = *door.spool();
        CHECK(door.append(*spool, kFirst));
        CHECK(door.append(*spool, kSecond));
        CHECK(door.accept(*spool));
        CHECK(folder.files_in("content") == 1);
        spool.reset();
        door.settle();
        CHECK(folder.files_in("spool") == 0);
    }
    ManualClock clock;
    SeededRandom random;
    const auto store = queue::open_queue(settings_in(folder), a_test_router(), clock, random);
    REQUIRE(store);
    const auto leased = queue::lease(**store, kLocal, queue::Ready{"", {}}, queue::Portion::large);
    REQUIRE(leased);
    REQUIRE(leased->messages.size() == 1);
    CHECK(all_of(leased->messages[0].content) == kFirst + kSecond);
}

TEST_CASE("a crash leaves what was coming in to the next start, which sweeps it away") {
    const Folder folder;
    Door door(folder);
    auto spool = *door.spool();
    CHECK(door.append(*spool, kFirst));
    door.crash();
    CHECK_FALSE(door.append(*spool, kSecond));
    CHECK(door.content(*spool).error().code == base::Errc::storage);
    spool.reset();
    CHECK(folder.files_in("spool") == 1);
    const Door next(folder);
    CHECK(folder.files_in("spool") == 0);
}

TEST_CASE("a spool whose loop is gone before it is written leaves its file to the next start") {
    const Folder folder;
    {
        Door door(folder);
        const auto spool = *door.spool();
        base::spawn(door.io.get_executor(), "writer", [spool]() -> base::Task<void> {
            std::string bytes = kFirst;
            const auto written = co_await spool->append(std::move(bytes));
            FAIL("nobody waits for this");
        });
        door.io.restart();
        door.io.poll_one();
        door.crash();
    }
    CHECK(folder.files_in("spool") == 1);
    const Door next(folder);
    CHECK(folder.files_in("spool") == 0);
}

TEST_CASE("the disk's reserve is kept from spools, too") {
    const Folder folder;
    Door door(folder, std::uintmax_t{1} << 60);
    const auto spool = door.spool();
    REQUIRE_FALSE(spool);
    CHECK(spool.error().code == base::Errc::storage);
    CHECK(folder.files_in("spool") == 0);
}

TEST_CASE("an orphan that can't be removed takes room, and stops nothing") {
    const Folder folder;
    { const Door door(folder); }
    // A folder that is not empty is what nobody can unlink.
    std::filesystem::create_directories(folder.path() / "spool" / queue::QueueId{77}.to_text() /
                                        "stays");
    std::ofstream(folder.path() / "content" / queue::QueueId{78}.to_text()) << "left by a crash";
    const Door next(folder);
    CHECK(folder.files_in("spool") == 1);
    CHECK(folder.files_in("content") == 0);
}
