// What the tests of this room share: a fake intake, a server on a thread of its own, short values.
#pragma once

#include "queue/ports.hpp"
#include "smtp-bridge/server/server.hpp"
#include "support/committed.hpp"
#include "support/contents.hpp"
#include "support/smtp-bridge/dialogue.hpp"

#include <atomic>
#include <mutex>

namespace fixture {

using namespace smtp_bridge;

inline mail::Domain domain(const char* text) {
    return *mail::Domain::parse(text);
}
inline mail::Mailbox mailbox(const char* text) {
    return *mail::Mailbox::parse(text);
}

/// We are mail.a.test and serve a.test.
inline queue::Router a_test() {
    return queue::Router({{domain("a.test"), "mail.a.test"}}, "mail.a.test");
}

/// From alice@a.test.
inline queue::LeasedMessage message(std::string content = "Subject: x\r\n",
                                    std::vector<const char*> to = {"bob@b.test", "carol@b.test"}) {
    queue::LeasedMessage leased;
    leased.id = queue::QueueId{1};
    leased.origin.kind = queue::Origin::Kind::internal;  // goes out as it is
    leased.envelope.from = mailbox("alice@a.test");
    for (const char* address : to) {
        const auto n = static_cast<std::uint32_t>(leased.envelope.recipients.size());
        leased.envelope.recipients.push_back({n, mailbox(address), {}, ""});
    }
    leased.content = mail::Content(std::move(content));
    return leased;
}

/// What the spools of a FakeIntake are told, and tell; any thread may look.
struct Spools {
    std::atomic<bool> none = false;        ///< none can be made
    std::atomic<bool> full = false;        ///< nothing can be written
    std::atomic<bool> unreadable = false;  ///< nothing of it can be read
    std::atomic<int> made = 0;
    std::atomic<int> alive = 0;
    std::atomic<std::size_t> largest = 0;  ///< of the pieces that came
};

/// A spool in memory.
class FakeSpool final : public queue::Spool {
  public:
    explicit FakeSpool(Spools& all) : all_(all) {
        ++all_.made;
        ++all_.alive;
    }
    ~FakeSpool() override { --all_.alive; }
    FakeSpool(const FakeSpool&) = delete;
    FakeSpool& operator=(const FakeSpool&) = delete;

    base::Task<base::Result<void>> append(std::string bytes) override {
        co_await base::sleep_for(std::chrono::milliseconds(1));
        if (all_.full) co_return base::fail(base::Errc::storage, "the disk is full");
        all_.largest = std::max(all_.largest.load(), bytes.size());
        bytes_ += bytes;
        co_return base::Result<void>();
    }
    base::Task<base::Result<queue::Content>> content() override {
        co_return support::slow(bytes_, all_.unreadable ? 0 : INT_MAX);
    }
    queue::QueueId file() const override { return queue::QueueId{42}; }

  private:
    Spools& all_;
    std::string bytes_;
};

/// Takes everything, or answers as told; any thread may look.
class FakeIntake final : public queue::Intake {
  public:
    base::Task<std::vector<base::Result<queue::Committed<queue::Receipt>>>> accept_all(
        std::vector<queue::Arrival> arrivals) override {
        if (delay.count() > 0) co_await base::sleep_for(delay);
        std::vector<base::Result<queue::Committed<queue::Receipt>>> answers;
        const std::lock_guard lock(mutex);
        for (auto& arrival : arrivals) {
            if (failure) {
                answers.emplace_back(base::fail(*failure, "as the test wants it"));
                continue;
            }
            taken.push_back(std::move(arrival));
            answers.emplace_back(queue::StorageThread::commit_for_test(queue::Receipt{
                queue::QueueId{static_cast<std::int64_t>(taken.size())}, std::nullopt}));
        }
        co_return answers;
    }
    base::Task<base::Result<std::shared_ptr<queue::Spool>>> spool() override {
        if (spools.none) co_return base::fail(base::Errc::storage, "no room");
        std::shared_ptr<queue::Spool> made = std::make_shared<FakeSpool>(spools);
        co_return made;
    }

    std::optional<base::Errc> failure;
    Spools spools;
    std::chrono::milliseconds delay{0};
    std::mutex mutex;
    std::vector<queue::Arrival> taken;
};

/// Of this host, free a moment ago: another one that is bound to it for that moment finds it.
inline int free_port() {
    asio::io_context io;
    const asio::ip::tcp::acceptor finder(io, {asio::ip::address_v4::loopback(), 0});
    return finder.local_endpoint().port();
}

/// Runs a coroutine to its end on `io`; what else runs there goes on meanwhile.
inline void run(asio::io_context& io, std::function<base::Task<void>()> body) {
    std::exception_ptr error;
    bool done = false;
    asio::co_spawn(
        io, [&]() -> base::Task<void> { return body(); },
        [&](std::exception_ptr e) {
            error = e;
            done = true;
        });
    io.restart();
    if (auto* const time = support::VirtualTime::of(io)) time->run_until([&] { return done; });
    while (!done && io.run_one_for(std::chrono::seconds(30)) > 0) {
    }
    if (error) std::rethrow_exception(error);
    if (!done) throw std::runtime_error("the coroutine did not end within 30 s");
}

/// A server in a loop and thread of its own, for clients that block.
class RunningServer {
  public:
    explicit RunningServer(Protocol protocol, std::function<void(ListenerSettings&)> change = {})
        : router_(a_test()), path_(folder_.socket()) {
        settings_.name = "test";
        settings_.endpoint = *Endpoint::parse("unix:" + path_);
        settings_.protocol = protocol;
        settings_.hostname = "mx.a.test";
        settings_.max_size = 1000;
        if (change) change(settings_);
        server_ = std::make_unique<Server>(io_.get_executor(), settings_, router_, intake);
        if (const auto started = server_->start(); !started)
            throw std::runtime_error(started.error().text);
        thread_ = std::thread([this] { io_.run(); });
    }
    ~RunningServer() { stop(); }
    RunningServer(const RunningServer&) = delete;
    RunningServer& operator=(const RunningServer&) = delete;

    dialogue::Line connect() { return dialogue::connect(path_); }
    /// Plays the client of `script` on a new connection.
    std::string play(std::string_view script) {
        auto line = connect();
        return dialogue::play(line, script, 'C');
    }
    void begin_stop() {
        if (std::exchange(stopping_, true)) return;
        base::spawn(io_.get_executor(), "stop", [this] { return server_->stop(); });
    }
    void stop() {
        begin_stop();
        if (thread_.joinable()) thread_.join();
    }

    FakeIntake intake;

  private:
    dialogue::Folder folder_;
    asio::io_context io_{1};
    queue::Router router_;
    std::string path_;
    ListenerSettings settings_;
    std::unique_ptr<Server> server_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace fixture
