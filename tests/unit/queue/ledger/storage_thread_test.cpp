#include "queue/ledger/storage_thread.hpp"

#include "base/limits.hpp"
#include "support/run_until.hpp"

#include <future>
#include <map>
#include <mutex>

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

using Work = std::function<void()>;

/// What each operation does, by its name: a component that is set in or out of service.
struct Works {
    void add(const std::string& name, Work work) {
        const std::lock_guard lock(mutex);
        works[name] = std::move(work);
    }
    Work of(const std::string& name) {
        const std::lock_guard lock(mutex);
        return works[name];
    }
    std::mutex mutex;
    std::map<std::string, Work> works;
    std::atomic<int> commits = 0;  ///< that have ended
    std::atomic<bool> fails = false;
    std::optional<base::Error> damage;  ///< before the first operation
};

class FakeLedger final : public queue::Ledger {
  public:
    explicit FakeLedger(std::shared_ptr<Works> works) : works_(std::move(works)) {}

    std::vector<base::Result<queue::Answer>> run(const Next& next) override {
        std::vector<base::Result<queue::Answer>> answers;
        if (works_->fails) return answers;
        while (const queue::Operation* const operation = next()) {
            const auto& set = std::get<queue::SetRetired>(*operation);
            if (set.component == "broken") {
                answers.assign(answers.size() + 1, base::fail(base::Errc::storage, "gone"));
                return answers;
            }
            if (const Work work = works_->of(set.component)) work();
            if (set.retired)
                answers.emplace_back(queue::Answer(queue::Nothing()));
            else
                answers.emplace_back(base::fail(base::Errc::busy, "not today"));
        }
        ++works_->commits;
        return answers;
    }
    const std::optional<base::Error>& damage() const override { return works_->damage; }
    void release() override {}

  private:
    std::shared_ptr<Works> works_;
};

struct Storing {
    void start(const std::string& name, Work work, std::function<void()> meanwhile = {},
               std::size_t bytes = 0, bool works_out = true) {
        works->add(name, std::move(work));
        base::spawn(io.get_executor(), name,
                    [this, name, meanwhile, bytes, works_out]() -> base::Task<void> {
                        queue::SetRetired operation{name, works_out};
                        std::function<void()> call = meanwhile;
                        const auto done =
                            co_await storage.write(std::move(operation), bytes, std::move(call));
                        answers.push_back(name + (done ? "" : " failed"));
                    });
    }
    using Step = base::Task<base::Result<queue::Committed<queue::Nothing>>> (
        queue::StorageThread::*)(queue::SetRetired);
    void start_step(const std::string& name, Work work = {},
                    Step step = &queue::StorageThread::step<queue::SetRetired>) {
        works->add(name, std::move(work));
        base::spawn(io.get_executor(), name, [this, name, step]() -> base::Task<void> {
            queue::SetRetired operation{name, true};
            const auto done = co_await (storage.*step)(std::move(operation));
            answers.push_back(name + (done ? "" : " failed"));
        });
    }
    void until(const std::function<bool()>& condition) { support::run_until(io, condition); }

    boost::asio::io_context io;
    std::shared_ptr<Works> works = std::make_shared<Works>();
    std::vector<std::string> answers;
    queue::StorageThread storage{io.get_executor(), std::make_unique<FakeLedger>(works)};
};

}  // namespace

TEST_CASE("what is asked while a request runs shares its commit") {
    Storing storing;
    std::promise<void> asked;
    std::atomic<bool> shared = false;
    const Work first = [&] { asked.get_future().wait(); };
    const Work second = [&] { shared = storing.works->commits == 0; };
    storing.start("first", first,
                  [&] { storing.start("second", second, [&] { asked.set_value(); }); });
    storing.until([&] { return storing.answers.size() == 2; });
    CHECK(storing.answers == std::vector<std::string>{"first", "second"});
    CHECK(shared);
    CHECK(storing.works->commits == 1);
}

TEST_CASE("each request has its own answer") {
    Storing storing;
    std::promise<void> asked;
    storing.start(
        "good", [&] { asked.get_future().wait(); },
        [&] {
            storing.start(
                "bad", {}, [&] { asked.set_value(); }, 0, false);
        });
    storing.until([&] { return storing.answers.size() == 2; });
    CHECK(storing.answers == std::vector<std::string>{"good", "bad failed"});
}

TEST_CASE("a transaction that can't even begin is an error for each request") {
    Storing storing;
    storing.works->fails = true;
    storing.start("first", {});
    storing.start("second", {});
    storing.until([&] { return storing.answers.size() == 2; });
    CHECK(storing.answers == std::vector<std::string>{"first failed", "second failed"});
    storing.works->fails = false;
    storing.start("third", {});
    storing.until([&] { return storing.answers.size() == 3; });
    CHECK(storing.answers.back() == "third");
}

TEST_CASE("what brings the transaction down is an error for all of it") {
    Storing storing;
    std::promise<void> asked;
    storing.start(
        "good", [&] { asked.get_future().wait(); },
        [&] {
            storing.start("broken", {});
            storing.start("behind", {}, [&] { asked.set_value(); });
        });
    storing.until([&] { return storing.answers.size() == 3; });
    CHECK(storing.answers ==
          std::vector<std::string>{"good failed", "broken failed", "behind failed"});
}

TEST_CASE("a commit has so many bytes, and what is more is part of the next") {
    Storing storing;
    std::promise<void> asked;
    std::atomic<int> commits_before_third = -1;
    constexpr std::size_t kHalf = base::limits::kCommitBytes / 2 + 1;
    storing.start(
        "first", [&] { asked.get_future().wait(); },
        [&] {
            storing.start("second", {}, {}, kHalf);
            storing.start(
                "third", [&] { commits_before_third = storing.works->commits.load(); },
                [&] { asked.set_value(); }, kHalf);
        });
    storing.until([&] { return storing.answers.size() == 3; });
    CHECK(storing.answers == std::vector<std::string>{"first", "second", "third"});
    CHECK(commits_before_third == 1);
}

TEST_CASE("damage is told once, to who asks before or after it was met") {
    Storing storing;
    std::vector<std::string> told;
    storing.works->damage = base::fail(base::Errc::damaged, "malformed");
    storing.start("first", {});
    storing.until([&] { return storing.answers.size() == 1; });
    storing.storage.on_damage([&](const base::Error& error) { told.push_back(error.text); });
    storing.start("second", {});
    storing.until([&] { return storing.answers.size() == 2; });
    CHECK(told == std::vector<std::string>{"malformed"});
}

TEST_CASE("a work of many steps holds up nothing that comes meanwhile") {
    constexpr int kSteps = 20;
    Storing storing;
    std::promise<void> asked;
    std::atomic<bool> begun = false;
    std::atomic<int> steps = 0;
    std::atomic<int> before_the_mail = 0;
    const Work step = [&] {
        begun = true;
        if (steps == 0) asked.get_future().wait();
        // A commit has no time for a second one.
        std::this_thread::sleep_for(2ms);
        ++steps;
    };
    for (int i = 0; i < kSteps; ++i)
        storing.start_step("step", step);
    storing.until([&] { return begun.load(); });
    storing.start(
        "mail", [&] { before_the_mail = steps.load(); }, [&] { asked.set_value(); });
    storing.until([&] { return storing.answers.size() == kSteps + 1; });
    CHECK(before_the_mail == 1);
    CHECK(steps == kSteps);
    // They share a commit.
    CHECK(storing.answers[0] == "step");
    CHECK(storing.answers[1] == "mail");
}

TEST_CASE("what is asked for without end leaves room for steps") {
    constexpr std::size_t kSteps = 3;
    // What is in line at the end is done after the last line of this test.
    std::atomic<bool> ended = false;
    queue::StorageThread* storage = nullptr;
    const queue::SetRetired again{"again", true};
    Storing storing;
    storage = &storing.storage;
    storing.works->add("again", [&] {
        if (!ended) storage->later(again);
    });
    storage->later(again);
    for (std::size_t i = 0; i < kSteps; ++i)
        storing.start_step("step");
    storing.until([&] { return storing.answers.size() == kSteps; });
    ended = true;
    CHECK(storing.answers == std::vector<std::string>(kSteps, "step"));
}

TEST_CASE("steps have commits of their own only after a pause in what is written") {
    Storing storing;
    std::chrono::steady_clock::time_point written;
    std::chrono::steady_clock::time_point stepped;
    storing.start("mail", [&] { written = std::chrono::steady_clock::now(); });
    storing.until([&] { return storing.answers.size() == 1; });
    storing.start_step("step", [&] { stepped = std::chrono::steady_clock::now(); });
    storing.until([&] { return storing.answers.size() == 2; });
    CHECK(stepped - written >= 30ms);
}

TEST_CASE("steps share a commit that writes") {
    Storing storing;
    std::promise<void> asked;
    storing.start(
        "mail", [&] { asked.get_future().wait(); },
        [&] {
            storing.start_step("step");
            // The loop does one after the other: by then it is in line.
            boost::asio::post(storing.io, [&] { asked.set_value(); });
        });
    storing.until([&] { return storing.answers.size() == 2; });
    CHECK(storing.works->commits == 1);
    CHECK(storing.answers == std::vector<std::string>{"mail", "step"});
}

TEST_CASE("steps of deliveries, however many, take turns with all others") {
    constexpr std::size_t kMany = 50;
    Storing storing;
    std::promise<void> asked;
    storing.start(
        "mail", [&] { asked.get_future().wait(); },
        [&] {
            for (std::size_t i = 0; i < kMany; ++i)
                storing.start_step("delivery", {},
                                   &queue::StorageThread::delivery_step<queue::SetRetired>);
            storing.start_step("administrator's");
            storing.start_step("housekeeping's");
            boost::asio::post(storing.io, [&] { asked.set_value(); });
        });
    storing.until([&] { return storing.answers.size() == kMany + 3; });
    const auto place = [&](const char* name) {
        return std::ranges::find(storing.answers, name) - storing.answers.begin();
    };
    CHECK(place("administrator's") <= 3);
    CHECK(place("housekeeping's") <= 5);
}
