// The courier with servers that are silent, gone, or take few links: failover, and waiting in line.
#include "smtp-bridge/client/next_hops.hpp"

#include "smtp-bridge/client/recipient_checker.hpp"
#include "smtp-bridge/client/smtp_courier.hpp"
#include "support/smtp-bridge/fixture.hpp"
#include "support/smtp-bridge/little_server.hpp"

using namespace smtp_bridge;
using dialogue::Folder;
using dialogue::LittleServer;
using dialogue::Manners;
using fixture::mailbox;
using fixture::message;

namespace {

const queue::Destination kLocal{queue::Lane::local, "", ""};

/// Two servers, the first one preferred.
struct Site {
    explicit Site(Manners first_manners, Manners second_manners = {}, bool has_second = true)
        : first(first_folder.socket(), std::move(first_manners)),
          second(second_folder.socket(), std::move(second_manners)),
          pools(io.get_executor(), {"mail.b.test", times()}),
          courier(io.get_executor(), pools,
                  {{{"", targets(has_second)}}, {}, "mail.b.test", "mail.b.test", {}}),
          checker(io.get_executor(), pools, {{{"", targets(has_second)}}}) {}

    static ClientTimes times() {
        ClientTimes times;
        times.patience = std::chrono::seconds(1);
        times.pause = std::chrono::milliseconds(1);
        return times;
    }
    std::vector<Target> targets(bool has_second) const {
        std::vector<Target> all{*Target::parse("smtp:unix:" + first_folder.socket())};
        if (has_second) all.push_back(*Target::parse("smtp:unix:" + second_folder.socket()));
        return all;
    }
    /// Sends `count` mails, each in a delivery of its own, all at once; returns how many arrived.
    std::size_t deliver(std::size_t count, const queue::LeasedMessage& mail = message()) {
        std::size_t delivered = 0;
        queue::Tell tell = [&](const queue::MessageOutcome& told) {
            for (const auto& each : told.recipients)
                delivered += std::holds_alternative<queue::Delivered>(each.outcome) ? 1 : 0;
        };
        fixture::run(io, [&]() -> base::Task<void> {
            const std::function<base::Task<void>(std::size_t)> one =
                [&](std::size_t) -> base::Task<void> {
                std::vector<queue::LeasedMessage> mails(1, mail);
                co_await courier.deliver(kLocal, std::move(mails), tell);
            };
            co_await base::for_each(count, count, one);
        });
        return delivered;
    }
    int check(const char* recipient) {
        int code = 0;
        fixture::run(io, [&]() -> base::Task<void> {
            std::vector<mail::Mailbox> recipients{mailbox(recipient)};
            const auto replies = co_await checker.check({}, false, std::move(recipients));
            code = replies.front().code;
        });
        return code;
    }
    void stop() {
        fixture::run(io, [&]() -> base::Task<void> { co_await pools.stop(); });
    }

    Folder first_folder;
    Folder second_folder;
    LittleServer first;
    LittleServer second;
    asio::io_context io;
    Pools pools;
    SmtpCourier courier;
    RecipientChecker checker;
};

Manners silent_at(const std::string& where) {
    Manners manners;
    manners.silent_at = where;
    return manners;
}

Manners with_links(std::size_t links) {
    Manners manners;
    manners.links = links;
    return manners;
}

/// Of a pool with up to ten links to the server on the folder's socket.
PoolSettings ten_links_to(const Folder& folder) {
    return {*Target::parse("smtp:unix:" + folder.socket()),
            {"mail.b.test", {}},
            10,
            base::limits::kSmtpIdle};
}

}  // namespace

TEST_CASE("the second server gets the mail that the first one, silent, does not take") {
    const auto* const where = GENERATE("greeting", "EHLO", "MAIL", "RCPT", "DATA");
    INFO(where);
    Site site(silent_at(where));
    CHECK(site.deliver(10, message("x\r\n", {"bob@b.test"})) == 10);
    CHECK(site.second.recipients() == 10);
    CHECK(site.check("carol@b.test") == 250);
    site.stop();
}

TEST_CASE("the recipient check goes on to the second server, too") {
    const auto* const where = GENERATE("greeting", "RCPT");
    INFO(where);
    Site site(silent_at(where));
    CHECK(site.check("carol@b.test") == 250);
    site.stop();
}

TEST_CASE("a server that falls silent under a kept link is passed over") {
    Site site({});
    CHECK(site.deliver(1) == 2);
    CHECK(site.first.recipients() == 2);
    site.first.falls_silent_at("MAIL");
    CHECK(site.deliver(3) == 6);
    CHECK(site.second.recipients() == 6);
    site.stop();
}

TEST_CASE("what is down is tried beside the mail, and gets it when it is back") {
    Site site(silent_at("MAIL"));
    CHECK(site.deliver(1) == 2);
    // It hears our own question, and no mail.
    std::size_t mails = 1;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (; site.first.silences() < 3 && std::chrono::steady_clock::now() < end; ++mails)
        CHECK(site.deliver(1) == 2);
    CHECK(site.first.silences() >= 3);
    CHECK(site.second.recipients() == 2 * mails);
    site.first.falls_silent_at("");
    while (site.first.recipients() == 0 && std::chrono::steady_clock::now() < end)
        CHECK(site.deliver(1) == 2);
    CHECK(site.first.recipients() > 0);
    site.stop();
}

TEST_CASE("one server alone that is slow to answer is waited for") {
    std::atomic<bool> awake = false;
    auto manners = silent_at("RCPT");
    manners.wakes = [&] { return awake.load(); };
    Site site(manners, {}, false);
    base::spawn(site.io.get_executor(), "wake", [&]() -> base::Task<void> {
        co_await base::sleep_for(2 * Site::times().patience);
        awake = true;
    });
    CHECK(site.deliver(1) == 2);
    site.stop();
}

TEST_CASE("a server that takes few links gets all mail over these") {
    const std::size_t links = GENERATE(std::size_t{1}, std::size_t{3});
    Site site(with_links(links), {}, false);
    for (int round = 0; round < 3; ++round)
        CHECK(site.deliver(30) == 60);
    CHECK(site.first.recipients() == 180);
    // What it takes is known after the first mails.
    CHECK(site.first.refused() < 40);
    // The kept links are all that it takes.
    CHECK(site.check("dave@b.test") == 250);
    site.stop();
}

TEST_CASE("a server that lets further links wait in silence gets all mail over the others") {
    // As Postfix does when its process limit is reached.
    std::atomic<LittleServer*> server = nullptr;
    auto manners = silent_at("greeting");
    manners.wakes = [&] { return server.load() != nullptr && server.load()->greeted() < 2; };
    Site site(manners, {}, false);
    server = &site.first;
    CHECK(site.deliver(10) == 20);
    site.stop();
}

TEST_CASE("two links that come back at once go to two who wait") {
    const Folder folder;
    const LittleServer server(folder.socket(), {});
    asio::io_context io;
    Pool pool(io.get_executor(), {*Target::parse("smtp:unix:" + folder.socket()),
                                  {"mail.b.test", {}},
                                  2,
                                  base::limits::kSmtpIdle});
    fixture::run(io, [&]() -> base::Task<void> {
        const Pool::Terms terms{Pool::Want::any,
                                std::chrono::steady_clock::now() + std::chrono::seconds(5)};
        std::vector<Pool::Taken> held;
        for (int i = 0; i < 2; ++i) {
            auto taken = co_await pool.take(terms);
            held.push_back(std::move(taken));
        }
        int waiting = 0;
        int have = 0;
        base::Signal both(io.get_executor());
        const std::function<base::Task<void>(std::size_t)> one =
            [&](std::size_t) -> base::Task<void> {
            // The first one starts when all others are waiting, and none gives its link back before
            // the other one has one.
            if (++waiting == 3) {
                held.clear();
                co_return;
            }
            const auto taken = co_await pool.take(terms);
            CHECK(std::holds_alternative<Pool::Lease>(taken));
            if (++have == 2) both.notify();
            while (have < 2) {
                const bool notified = co_await both.wait(std::chrono::seconds(5));
                if (!notified) break;
            }
            CHECK(have == 2);
        };
        co_await base::for_each(3, 3, one);
        co_await pool.stop();
    });
}

TEST_CASE("of those who want a server that is down, one tries it, and its answer is for all") {
    const Folder folder;
    const LittleServer server(folder.socket(), with_links(0));
    asio::io_context io;
    Pool pool(io.get_executor(), ten_links_to(folder));
    fixture::run(io, [&]() -> base::Task<void> {
        const auto first = co_await pool.take({});
        CHECK(std::holds_alternative<mail::Reply>(first));
        CHECK(pool.is_down());
        CHECK(server.refused() == 1);
        const std::function<base::Task<void>(std::size_t)> one =
            [&](std::size_t) -> base::Task<void> {
            const auto taken = co_await pool.take({});
            CHECK(std::holds_alternative<mail::Reply>(taken));
        };
        co_await base::for_each(5, 5, one);
        CHECK(server.refused() == 2);
        co_await pool.stop();
    });
}

TEST_CASE("that somebody's time is up says nothing about the server") {
    const Folder folder;
    const LittleServer server(folder.socket(), silent_at("greeting"));
    asio::io_context io;
    Pool pool(io.get_executor(), ten_links_to(folder));
    fixture::run(io, [&]() -> base::Task<void> {
        const Pool::Terms terms{Pool::Want::any, std::chrono::steady_clock::now()};
        const auto taken = co_await pool.take(terms);
        CHECK(std::holds_alternative<mail::Reply>(taken));
        CHECK_FALSE(pool.is_down());
        co_await pool.stop();
    });
}

TEST_CASE("who wants a fresh link gets one, and the kept ones are given up") {
    const Folder folder;
    const LittleServer server(folder.socket(), {});
    asio::io_context io;
    Pool pool(io.get_executor(), ten_links_to(folder));
    fixture::run(io, [&]() -> base::Task<void> {
        {
            const auto one = co_await pool.take({});
            const auto two = co_await pool.take({});
            CHECK(server.greeted() == 2);
        }
        {
            const auto kept = co_await pool.take({});
            CHECK(std::holds_alternative<Pool::Lease>(kept));
            CHECK(server.greeted() == 2);
        }
        Pool::Terms terms;
        terms.want = Pool::Want::fresh;
        const auto fresh = co_await pool.take(terms);
        CHECK(std::holds_alternative<Pool::Lease>(fresh));
        CHECK(server.greeted() == 3);
    });
    fixture::run(io, [&]() -> base::Task<void> { co_await pool.stop(); });
}

TEST_CASE("as many servers may be silent to a mail as there are, and then it waits") {
    const Folder folder;
    const LittleServer server(folder.socket(), silent_at("EHLO"));
    const auto target = *Target::parse("smtp:unix:" + folder.socket());
    const ClientSettings settings{"mail.b.test", Site::times()};
    asio::io_context io;
    Client client(target, settings);
    client.bound(std::nullopt, true);
    fixture::run(io, [&]() -> base::Task<void> {
        const auto trouble = co_await client.open();
        CHECK(trouble);
    });
    REQUIRE(client.silence());
    Pools pools(io.get_executor(), settings);
    const NextHops hops(pools, {target, target});
    Attempts attempts(hops, 1);
    CHECK(attempts.go_on(client, 1));
    CHECK(attempts.go_on(client, 1));
    CHECK_FALSE(attempts.go_on(client, 1));
}
