#include "queue/ledger/reader.hpp"

#include "queue/ledger/storage_thread.hpp"
#include "queue/sqlite/sqlite_ledger.hpp"
#include "queue/sqlite/sqlite_questions.hpp"
#include "support/queue/fixture.hpp"

#include <fstream>
#include <future>

#include <catch2/catch.hpp>

using namespace support;

namespace {

/// The queue, and somebody who asks about it while it works.
struct Asked {
    std::unique_ptr<queue::Ledger> open() {
        auto store = queue::open_queue(settings_in(folder), a_test_router(), clock, random);
        if (!store) throw std::runtime_error(store.error().text);
        return std::make_unique<queue::SqliteLedger>(std::move(*store));
    }
    void add() {
        run<bool>(io, [this]() -> base::Task<bool> {
            queue::Accept accept{
                std::make_shared<const queue::Arrival>(arrival("alice@a.test", {"bob@b.test"}))};
            const auto done = co_await storage.write(std::move(accept));
            co_return done.has_value();
        });
    }
    template <class Question>
    base::Result<typename Question::Reply> ask(const Question& question) {
        using Found = base::Result<typename Question::Reply>;
        return run<Found>(io, [&]() -> base::Task<Found> {
            Question copy = question;
            Found found = co_await reader.ask(std::move(copy));
            co_return found;
        });
    }
    std::size_t count() { return ask(queue::ListQueue{{}, {}, 1000}).value().rows.size(); }

    Folder folder;
    ManualClock clock;
    SeededRandom random;
    boost::asio::io_context io;
    queue::StorageThread storage{io.get_executor(), open()};
    queue::Reader reader{io.get_executor(),
                         std::make_unique<queue::SqliteQuestions>(folder.path())};
};

}  // namespace

TEST_CASE("a question sees what was committed before it, and the queue goes on meanwhile") {
    Asked asked;
    for (std::size_t i = 1; i <= 20; ++i) {
        asked.add();
        CHECK(asked.count() == i);
        CHECK(asked.ask(queue::CountWaiting()).value().waiting == static_cast<std::int64_t>(i));
    }
}

TEST_CASE("who only looks can't change anything") {
    Asked asked;
    asked.add();
    auto database = queue::Database::open_for_reading(asked.folder.path() / "queue.db");
    REQUIRE(database);
    CHECK_THROWS_AS((*database)->execute("DELETE FROM message"_sql), SQLite::Exception);
    CHECK(asked.count() == 1);
}

TEST_CASE("a question that fails hurts no other") {
    Asked asked;
    asked.add();
    const auto there = asked.folder.path() / "there";
    std::ofstream(there) << "something else";
    const auto refused = asked.ask(queue::WriteBackup{there});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == base::Errc::conflict);
    const auto nowhere = asked.ask(queue::WriteBackup{asked.folder.path() / "no" / "folder"});
    REQUIRE_FALSE(nowhere);
    CHECK(nowhere.error().code == base::Errc::storage);
    CHECK(asked.count() == 1);
}

TEST_CASE("a question that can't be answered is an error of it, and the next is answered") {
    Asked asked;
    asked.add();
    CHECK(asked.count() == 1);
    SQLite::Database other((asked.folder.path() / "queue.db").string(), SQLite::OPEN_READWRITE);
    other.exec("ALTER TABLE content RENAME TO gone");
    other.exec("ALTER TABLE recipient RENAME TO nobody");
    const auto refused = asked.ask(queue::CountWaiting());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == base::Errc::storage);
    other.exec("ALTER TABLE nobody RENAME TO recipient");
    other.exec("ALTER TABLE gone RENAME TO content");
    CHECK(asked.ask(queue::CountWaiting()).value().waiting == 1);
}

TEST_CASE("only so many questions wait, and a stop answers those that do") {
    boost::asio::io_context io;
    struct Slow final : queue::Questions {
        explicit Slow(std::future<void> told) : go_on(std::move(told)) {}
        base::Result<queue::Reply> answer(const queue::Question&) override {
            if (go_on.valid()) go_on.get();
            return queue::Reply(queue::Health{1, {}});
        }
        std::future<void> go_on;
    };
    constexpr int kAsked = 50;
    std::promise<void> go_on;
    int answered = 0;
    int busy = 0;
    {
        queue::Reader reader(io.get_executor(), std::make_unique<Slow>(go_on.get_future()));
        for (int i = 0; i < kAsked; ++i) {
            base::spawn(io.get_executor(), "question", [&]() -> base::Task<void> {
                const queue::CountWaiting question;
                const auto found = co_await reader.ask(question);
                found ? ++answered : ++busy;
                if (!found) CHECK(found.error().code == base::Errc::busy);
            });
        }
        while (busy < kAsked - 21)
            io.run_one();
        go_on.set_value();
    }
    io.restart();
    io.run();
    CHECK(answered + busy == kAsked);
    CHECK(answered >= 20);
    CHECK(answered <= 21);
}
