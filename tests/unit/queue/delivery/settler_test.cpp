// Settler: on a real storage thread, with outcomes that can't be recorded among others.
#include "queue/delivery/settler.hpp"

#include "support/queue/fixture.hpp"
#include "support/queue/looking_ledger.hpp"
#include "support/run_until.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

constexpr int kMails = 5;

/// Mails that are being delivered.
struct Delivering {
    explicit Delivering(const Folder& folder, int mails = kMails)
        : storage(io.get_executor(), std::make_unique<LookingLedger>(open(folder), looks)) {
        for (int i = 0; i < mails; ++i)
            write([](queue::Store& store) {
                CHECK(queue::add_arrival(store, arrival("alice@a.test", {"bob@b.test"})));
            });
        write([this](queue::Store& store) {
            auto lease = queue::lease(store, kToB, kReadyB);
            for (auto& message : lease->messages)
                leased.push_back(std::move(message));
        });
        REQUIRE(leased.size() == static_cast<std::size_t>(mails));
    }
    ~Delivering() {
        stopping = true;
        until([this] { return settler.is_idle(); });
    }
    std::unique_ptr<queue::Store> open(const Folder& folder) {
        auto store = queue::open_queue(settings_in(folder), a_test_router(), clock, random);
        if (!store) throw std::runtime_error(store.error().text);
        return std::move(*store);
    }
    void write(const Looks::Look& what) { REQUIRE(look(io, storage, *looks, what)); }
    void execute(const std::string& sql) {
        write([&](queue::Store& store) { store.database().connection().exec(sql); });
    }
    std::int64_t count(const std::string& of_recipients) {
        std::int64_t count = 0;
        write([&](queue::Store& store) {
            SQLite::Statement statement(store.database().connection(),
                                        "SELECT COUNT(*) FROM recipient r JOIN message m ON m.id ="
                                        " r.message WHERE " +
                                            of_recipients);
            statement.executeStep();
            count = statement.getColumn(0).getInt64();
        });
        return count;
    }
    void tell_all() {
        for (const auto& message : leased)
            settler.tell(all(message, delivered()));
    }
    /// What makes the outcome of the mail in the middle one that can't be recorded.
    void damage() { set_address("nobody can read this"); }
    void mend() { set_address("bob@b.test"); }
    void set_address(const std::string& text) {
        execute("UPDATE recipient SET address = '" + text +
                "' WHERE message = " + std::to_string(leased[kMails / 2].id.value));
    }
    void until(const std::function<bool()>& condition) { support::run_until(io, condition); }

    boost::asio::io_context io;
    std::shared_ptr<Looks> looks = std::make_shared<Looks>();
    base::SystemClock clock;
    base::SystemRandom random;
    queue::StorageThread storage;
    std::vector<queue::LeasedMessage> leased;
    base::TaskGroup tasks{io.get_executor()};
    bool stopping = false;
    int commits = 0;
    queue::Settler settler{
        {storage, tasks, stopping, [this](const queue::DueNow&) { ++commits; }, [] {}, 10ms}};
};

}  // namespace

TEST_CASE("an outcome that can't be recorded waits by itself, and the others are recorded") {
    const Folder folder;
    Delivering mail(folder);
    mail.damage();
    mail.tell_all();
    mail.until([&] { return mail.count("r.state = 6") == kMails - 1; });
    mail.mend();
    mail.until([&] { return mail.settler.is_idle(); });
    CHECK(mail.settler.waiting() == 0);
    // It was tried again in time, or its message is in quarantine: nothing goes out again.
    CHECK(mail.count("r.state IN (6, 4)") == kMails);
}

TEST_CASE("a mail of which it can't be recorded that it was delivered goes to quarantine") {
    const Folder folder;
    Delivering mail(folder);
    mail.damage();
    mail.tell_all();
    mail.until([&] { return mail.settler.is_idle(); });
    CHECK(mail.count("r.state = 6 AND m.damage IS NULL") == kMails - 1);
    CHECK(mail.count("r.state = 4 AND m.damage LIKE '%can''t be recorded%'") == 1);
    mail.write([&](queue::Store& store) {
        SQLite::Statement event(store.database().connection(),
                                "SELECT COUNT(*) FROM event WHERE what = 'delivered'");
        event.executeStep();
        CHECK(event.getColumn(0).getInt() == 1);
    });
}

TEST_CASE("what was written of such an outcome before it failed is taken back") {
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test"}));
    const auto leased = queue.lease();
    REQUIRE(leased.size() == 1);
    queue.transact([&](queue::Store& s) {
        s.database().connection().exec("UPDATE recipient SET address = 'nobody' WHERE n = 1");
        return 0;
    });
    REQUIRE(queue.transact(
        [&](queue::Store& s) { return queue::settle_or_hold(s, all(leased[0], delivered())); }));
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 4 AND message = " +
                      std::to_string(id.value)) == 2);
    CHECK(queue.count("SELECT pending FROM message WHERE id = " + std::to_string(id.value)) == 2);
}

TEST_CASE("what is told at once is written in bounded parts, as each failure has its report") {
    const Folder folder;
    Delivering mail(folder, 60);
    for (const auto& message : mail.leased)
        mail.settler.tell(all(message, failed()));
    mail.until([&] { return mail.settler.is_idle(); });
    CHECK(mail.settler.waiting() == 0);
    CHECK(mail.count("r.state = 7") == 60);
    CHECK(mail.commits == 3);
}
