// Large messages through the real SMTP door into the real queue: C is the test, S the server.
#include "queue/intake/queue_intake.hpp"
#include "queue/sqlite/sqlite_ledger.hpp"
#include "smtp-bridge/server/server.hpp"
#include "support/contents.hpp"
#include "support/queue/fixture.hpp"
#include "support/smtp-bridge/dialogue.hpp"
#include "support/smtp-bridge/large_messages.hpp"

#include <thread>

#include <catch2/catch.hpp>

using namespace support;

namespace {

/// A door with a queue behind it, on a loop and thread of its own.
class Door {
  public:
    explicit Door(const Folder& folder, std::uintmax_t reserve = 0)
        : path_(folder.socket()),
          storage_(io_.get_executor(), open(folder, reserve)),
          intake_(storage_, [](const queue::Destination&) {}) {
        smtp_bridge::ListenerSettings settings;
        settings.endpoint = *smtp_bridge::Endpoint::parse("unix:" + path_);
        settings.hostname = "mx.a.test";
        settings.max_size = 20u << 20;
        server_.emplace(io_.get_executor(), settings, router_, intake_);
        if (!server_->start()) throw std::runtime_error("can't listen");
        thread_ = std::thread([this] { io_.run(); });
    }
    ~Door() {
        base::spawn(io_.get_executor(), "stop", [this] { return server_->stop(); });
        thread_.join();
    }
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;

    dialogue::Line client() {
        auto line = dialogue::connect(path_);
        const std::string envelope =
            "C: MAIL FROM:<alice@a.test>\nC: RCPT TO:<bob@a.test>\nC: DATA\nS: 250\nS: 250\nS: 354";
        CHECK(dialogue::play(line, dialogue::kHello + envelope, 'C') == "");
        return line;
    }

  private:
    std::unique_ptr<queue::Ledger> open(const Folder& folder, std::uintmax_t reserve) {
        auto settings = settings_in(folder);
        settings.disk_reserve = reserve;
        auto store = queue::open_queue(settings, router_, clock_, random_);
        if (!store) throw std::runtime_error(store.error().text);
        return std::make_unique<queue::SqliteLedger>(std::move(*store));
    }

    std::string path_;
    ManualClock clock_;
    SeededRandom random_;
    queue::Router router_ = a_test_router();
    base::asio::io_context io_{1};
    queue::StorageThread storage_;
    queue::QueueIntake intake_;
    std::optional<smtp_bridge::Server> server_;
    std::thread thread_;
};

}  // namespace

TEST_CASE("a large message is in the queue as it was sent") {
    const Folder folder;
    const std::string message = large_message(10u << 20);
    {
        Door door(folder);
        auto line = door.client();
        line.send(on_the_wire(message));
        CHECK(dialogue::play(line, "S: 250 2.0.0\nC: QUIT\nS: 221", 'C') == "");
        CHECK(soon([&] { return folder.files_in("spool") == 0; }));
    }
    ManualClock clock;
    SeededRandom random;
    const auto store = queue::open_queue(settings_in(folder), a_test_router(), clock, random);
    REQUIRE(store);
    const auto leased = queue::lease(**store, kLocal, queue::Ready{"", {}}, queue::Portion::large);
    REQUIRE(leased);
    REQUIRE(leased->messages.size() == 1);
    CHECK(all_of(leased->messages[0].content) == message);
}

TEST_CASE("a large message that is not taken leaves nothing on the disk") {
    const Folder folder;
    Door door(folder);
    auto line = door.client();
    line.send(large_message(10u << 20));
    CHECK(soon([&] { return folder.files_in("spool") == 1; }));
    SECTION("because it ends in a bare LF") {
        line.send("x\n.\r\n");
        CHECK(soon([&] { return folder.files_in("spool") == 0; }));
        line.send("\r\n.\r\n");
        CHECK(line.read().value_or("").starts_with("554 5.5.2"));
    }
    SECTION("because the client is gone") {
        line.close();
    }
    CHECK(soon([&] { return folder.files_in("spool") == 0; }));
    CHECK(folder.files_in("content") == 0);
}

TEST_CASE("a large message that the disk has no room for is put off") {
    const Folder folder;
    Door door(folder, std::uintmax_t{1} << 60);
    auto line = door.client();
    line.send(on_the_wire(large_message(10u << 20)));
    CHECK(dialogue::play(line, "S: 452 4.3.1\nC: NOOP\nS: 250", 'C') == "");
    CHECK(folder.files_in("spool") == 0);
    CHECK(folder.files_in("content") == 0);
}
