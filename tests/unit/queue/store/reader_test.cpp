#include "queue/store/reader.hpp"

#include "queue/store/storage_thread.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;

namespace {

/// The queue, and somebody who asks about it while it works.
struct Asked {
    std::unique_ptr<queue::Store> open() {
        auto store = queue::open_queue(settings_in(folder), a_test_router(), clock, random);
        if (!store) throw std::runtime_error(store.error().text);
        return std::move(*store);
    }
    void add() {
        run<bool>(io, [this]() -> base::Task<bool> {
            std::function<base::Result<queue::Receipt>(queue::Store&)> operation =
                [](queue::Store& store) {
                    return queue::add_arrival(store, arrival("alice@a.test", {"bob@b.test"}));
                };
            const auto done = co_await storage.write<queue::Receipt>(std::move(operation));
            co_return done.has_value();
        });
    }
    base::Result<std::size_t> count() {
        using Count = base::Result<std::size_t>;
        return run<Count>(io, [this]() -> base::Task<Count> {
            std::function<Count(queue::Database&)> question = [](queue::Database& database) {
                return Count(queue::list(database, {}, {}, 1000).rows.size());
            };
            Count counted = co_await reader.read<std::size_t>(std::move(question));
            co_return counted;
        });
    }

    Folder folder;
    ManualClock clock;
    SeededRandom random;
    boost::asio::io_context io;
    queue::StorageThread storage{io.get_executor(), open()};
    queue::Reader reader{io.get_executor(), folder.path() / "queue.db"};
};

}  // namespace

TEST_CASE("a question sees what was committed before it, and the queue goes on meanwhile") {
    Asked asked;
    for (std::size_t i = 1; i <= 20; ++i) {
        asked.add();
        CHECK(asked.count().value() == i);
    }
}

TEST_CASE("a question changes nothing, and one that fails hurts no other") {
    Asked asked;
    asked.add();
    using Nothing = base::Result<int>;
    const Nothing refused = run<Nothing>(asked.io, [&]() -> base::Task<Nothing> {
        std::function<Nothing(queue::Database&)> question = [](queue::Database& database) {
            database.execute("DELETE FROM message");
            return Nothing(0);
        };
        Nothing answer = co_await asked.reader.read<int>(std::move(question));
        co_return answer;
    });
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == base::Errc::storage);
    CHECK(asked.count().value() == 1);
}

TEST_CASE("a question that throws is answered, whatever it throws") {
    Asked asked;
    asked.add();
    using Nothing = base::Result<int>;
    const Nothing thrown = run<Nothing>(asked.io, [&]() -> base::Task<Nothing> {
        std::function<Nothing(queue::Database&)> question = [](queue::Database&) -> Nothing {
            throw std::filesystem::filesystem_error(
                "can't look", std::make_error_code(std::errc::permission_denied));
        };
        Nothing answer = co_await asked.reader.read<int>(std::move(question));
        co_return answer;
    });
    REQUIRE_FALSE(thrown);
    CHECK(thrown.error().text.find("can't look") != std::string::npos);
    CHECK(asked.count().value() == 1);
}
