#include "queue/store/storage_thread.hpp"

#include "queue/store/damage.hpp"
#include "support/queue/fixture.hpp"
#include "support/run_until.hpp"

#include <future>

#include <catch2/catch.hpp>
#include <sqlite3.h>

using namespace support;
using namespace std::chrono_literals;

namespace {

using Operation = std::function<base::Result<int>(queue::Store&)>;

struct Storing {
    explicit Storing(const Folder& folder) : storage(io.get_executor(), open(folder)) {}
    std::unique_ptr<queue::Store> open(const Folder& folder) {
        auto store = queue::open_queue(settings_in(folder), a_test_router(), clock, random);
        if (!store) throw std::runtime_error(store.error().text);
        return std::move(*store);
    }
    void start(Operation operation, std::vector<std::string>& answers, std::string name,
               std::function<void()> meanwhile = {}, std::size_t bytes = 0) {
        base::spawn(io.get_executor(), name,
                    [this, operation, &answers, name, meanwhile, bytes]() -> base::Task<void> {
                        Operation copy = operation;
                        std::function<void()> call = meanwhile;
                        const auto done = co_await storage.write<int>(std::move(copy), bytes, call);
                        answers.push_back(name + (done ? "" : " failed"));
                    });
    }
    using Step =
        base::Task<base::Result<queue::Committed<int>>> (queue::StorageThread::*)(Operation);
    void start_step(Operation operation, std::vector<std::string>& answers, std::string name,
                    Step step = &queue::StorageThread::step<int>) {
        base::spawn(io.get_executor(), name,
                    [this, operation, &answers, name, step]() -> base::Task<void> {
                        Operation copy = operation;
                        const auto done = co_await (storage.*step)(std::move(copy));
                        answers.push_back(name + (done ? "" : " failed"));
                    });
    }
    void until(const std::function<bool()>& condition) { support::run_until(io, condition); }

    boost::asio::io_context io;
    base::SystemClock clock;
    base::SystemRandom random;
    queue::StorageThread storage;
};

}  // namespace

TEST_CASE("what is asked while a request runs finds what that wrote, and shares its commit") {
    const Folder folder;
    Storing storing(folder);
    std::vector<std::string> answers;
    std::promise<void> asked;
    std::atomic<bool> committed = false;
    std::atomic<bool> shared = false;
    std::atomic<bool> found = false;
    const auto destination = queue::Destination{queue::Lane::local, "", ""};
    const Operation second = [&](queue::Store& store) {
        shared = !committed;
        found = queue::next_due(store, destination).has_value();
        return base::Result<int>(2);
    };
    const Operation first = [&](queue::Store& store) -> base::Result<int> {
        store.after_commit([&] { committed = true; });
        if (!queue::add_arrival(store, arrival("bob@b.test", {"alice@a.test"})))
            return base::fail(base::Errc::storage, "no room");
        asked.get_future().wait();
        return 1;
    };
    storing.start(first, answers, "first",
                  [&] { storing.start(second, answers, "second", [&] { asked.set_value(); }); });
    storing.until([&] { return answers.size() == 2; });
    CHECK(answers == std::vector<std::string>{"first", "second"});
    CHECK(found);
    CHECK(shared);
}

TEST_CASE("one that fails takes nothing with it of what shares its commit") {
    const Folder folder;
    Storing storing(folder);
    std::vector<std::string> answers;
    std::promise<void> asked;
    const Operation good = [&](queue::Store& store) -> base::Result<int> {
        if (!queue::add_arrival(store, arrival("bob@b.test", {"alice@a.test"})))
            return base::fail(base::Errc::storage, "no room");
        asked.get_future().wait();
        return 1;
    };
    const Operation bad = [&](queue::Store& store) -> base::Result<int> {
        if (!queue::add_arrival(store, arrival("bob@b.test", {"anna@a.test"})))
            return base::fail(base::Errc::storage, "no room");
        return base::fail(base::Errc::busy, "not today");
    };
    storing.start(good, answers, "good",
                  [&] { storing.start(bad, answers, "bad", [&] { asked.set_value(); }); });
    storing.until([&] { return answers.size() == 2; });
    CHECK(answers == std::vector<std::string>{"good", "bad failed"});
    std::atomic<int> messages = 0;
    const Operation count = [&](queue::Store& store) {
        queue::Query rows = store.database().query("SELECT COUNT(*) FROM message");
        rows.step();
        messages = static_cast<int>(rows.integer(0));
        return base::Result<int>(0);
    };
    storing.start(count, answers, "count");
    storing.until([&] { return answers.size() == 3; });
    CHECK(messages == 1);
}

TEST_CASE("a commit has so many bytes, and what is more is part of the next") {
    const Folder folder;
    Storing storing(folder);
    std::vector<std::string> answers;
    std::promise<void> asked;
    std::atomic<bool> second_is_committed = false;
    std::atomic<bool> third_came_later = false;
    const Operation first = [&](queue::Store&) {
        asked.get_future().wait();
        return base::Result<int>(1);
    };
    const Operation second = [&](queue::Store& store) {
        store.after_commit([&] { second_is_committed = true; });
        return base::Result<int>(2);
    };
    const Operation third = [&](queue::Store&) {
        third_came_later = second_is_committed.load();
        return base::Result<int>(3);
    };
    constexpr std::size_t kHalf = base::limits::kCommitBytes / 2 + 1;
    storing.start(first, answers, "first", [&] {
        storing.start(second, answers, "second", {}, kHalf);
        storing.start(
            third, answers, "third", [&] { asked.set_value(); }, kHalf);
    });
    storing.until([&] { return answers.size() == 3; });
    CHECK(answers == std::vector<std::string>{"first", "second", "third"});
    CHECK(third_came_later);
}

TEST_CASE("another program that writes for a while delays mail, and refuses none") {
    const Folder folder;
    Storing storing(folder);
    SQLite::Database other((folder.path() / "queue.db").string(), SQLite::OPEN_READWRITE);
    other.exec("BEGIN IMMEDIATE");
    std::vector<std::string> answers;
    storing.start([](queue::Store&) { return base::Result<int>(1); }, answers, "mail");
    // It may take as long as it likes to come to the lock, which lasts for a moment.
    boost::asio::steady_timer moment(storing.io, 500ms);
    moment.async_wait([&](const boost::system::error_code&) { other.exec("COMMIT"); });
    storing.until([&] { return !answers.empty(); });
    CHECK(answers == std::vector<std::string>{"mail"});
}

TEST_CASE("damage is told once to who can end the daemon, and noted for the next start") {
    const Folder folder;
    {
        Storing storing(folder);
        std::vector<std::string> told;
        std::vector<std::string> answers;
        const Operation reads = [](queue::Store&) -> base::Result<int> {
            throw SQLite::Exception("malformed", SQLITE_CORRUPT);
        };
        storing.start(reads, answers, "first");
        storing.until([&] { return answers.size() == 1; });
        storing.storage.on_damage([&](const base::Error& error) { told.push_back(error.text); });
        storing.start(reads, answers, "second");
        storing.until([&] { return answers.size() == 2; });
        storing.start([](queue::Store&) { return base::Result<int>(1); }, answers, "third");
        storing.until([&] { return answers.size() == 3; });
        CHECK(answers == std::vector<std::string>{"first failed", "second failed", "third"});
        REQUIRE(told.size() == 1);
        CHECK(told[0].find("malformed") != std::string::npos);
        CHECK(queue::is_damage_noted(folder.path()));
    }
    // It was no damage after all: the next start goes on, and forgets it.
    Storing again(folder);
    CHECK_FALSE(queue::is_damage_noted(folder.path()));
}

TEST_CASE("a work of many steps holds up nothing that comes meanwhile") {
    constexpr int kSteps = 20;
    const Folder folder;
    Storing storing(folder);
    std::vector<std::string> answers;
    std::promise<void> asked;
    std::atomic<bool> begun = false;
    std::atomic<int> steps = 0;
    std::atomic<int> before_the_mail = 0;
    const Operation step = [&](queue::Store&) -> base::Result<int> {
        begun = true;
        if (steps == 0) asked.get_future().wait();
        // A commit has no time for a second one.
        std::this_thread::sleep_for(2ms);
        return ++steps;
    };
    const Operation mail = [&](queue::Store&) {
        before_the_mail = steps.load();
        return base::Result<int>(0);
    };
    for (int i = 0; i < kSteps; ++i)
        storing.start_step(step, answers, "step");
    storing.until([&] { return begun.load(); });
    storing.start(mail, answers, "mail", [&] { asked.set_value(); });
    storing.until([&] { return answers.size() == kSteps + 1; });
    CHECK(before_the_mail == 1);
    CHECK(steps == kSteps);
    // They share a commit.
    CHECK(answers[0] == "step");
    CHECK(answers[1] == "mail");
}

TEST_CASE("what is asked for without end leaves room for steps") {
    constexpr std::size_t kSteps = 3;
    const Folder folder;
    std::vector<std::string> answers;
    // What is in line at the end is done after the last line of this test.
    std::atomic<bool> ended = false;
    queue::StorageThread* storage = nullptr;
    std::function<void(queue::Store&)> again = [&](queue::Store&) {
        if (!ended) storage->later(again);
    };
    Storing storing(folder);
    storage = &storing.storage;
    storage->later(again);
    const Operation step = [](queue::Store&) { return base::Result<int>(0); };
    for (std::size_t i = 0; i < kSteps; ++i)
        storing.start_step(step, answers, "step");
    storing.until([&] { return answers.size() == kSteps; });
    ended = true;
    CHECK(answers == std::vector<std::string>(kSteps, "step"));
}

TEST_CASE("steps have commits of their own only after a pause in what is written") {
    const Folder folder;
    Storing storing(folder);
    std::vector<std::string> answers;
    std::chrono::steady_clock::time_point written;
    std::chrono::steady_clock::time_point stepped;
    const Operation mail = [&](queue::Store& store) {
        store.after_commit([&] { written = std::chrono::steady_clock::now(); });
        return base::Result<int>(0);
    };
    const Operation step = [&](queue::Store&) {
        stepped = std::chrono::steady_clock::now();
        return base::Result<int>(0);
    };
    storing.start(mail, answers, "mail");
    storing.until([&] { return answers.size() == 1; });
    storing.start_step(step, answers, "step");
    storing.until([&] { return answers.size() == 2; });
    CHECK(stepped - written >= 30ms);
}

TEST_CASE("steps share a commit that writes") {
    const Folder folder;
    Storing storing(folder);
    std::vector<std::string> answers;
    std::promise<void> asked;
    std::atomic<bool> committed = false;
    std::atomic<bool> shared = false;
    const Operation mail = [&](queue::Store& store) {
        asked.get_future().wait();
        store.after_commit([&] { committed = true; });
        return base::Result<int>(0);
    };
    const Operation step = [&](queue::Store&) {
        shared = !committed;
        return base::Result<int>(0);
    };
    storing.start(mail, answers, "mail", [&] {
        storing.start_step(step, answers, "step");
        // The loop does one after the other: by then it is in line.
        boost::asio::post(storing.io, [&] { asked.set_value(); });
    });
    storing.until([&] { return answers.size() == 2; });
    CHECK(shared);
    CHECK(answers == std::vector<std::string>{"mail", "step"});
}

TEST_CASE("steps of deliveries, however many, take turns with all others") {
    constexpr std::size_t kMany = 50;
    const Folder folder;
    Storing storing(folder);
    std::vector<std::string> answers;
    std::promise<void> asked;
    const Operation mail = [&](queue::Store&) {
        asked.get_future().wait();
        return base::Result<int>(0);
    };
    const Operation step = [](queue::Store&) { return base::Result<int>(0); };
    storing.start(mail, answers, "mail", [&] {
        for (std::size_t i = 0; i < kMany; ++i)
            storing.start_step(step, answers, "delivery",
                               &queue::StorageThread::delivery_step<int>);
        storing.start_step(step, answers, "administrator's");
        storing.start_step(step, answers, "housekeeping's");
        boost::asio::post(storing.io, [&] { asked.set_value(); });
    });
    storing.until([&] { return answers.size() == kMany + 3; });
    const auto place = [&](const char* name) {
        return std::ranges::find(answers, name) - answers.begin();
    };
    CHECK(place("administrator's") <= 3);
    CHECK(place("housekeeping's") <= 5);
}
