// A store in a folder of its own, a clock set by hand, and short ways to make arrivals.
#pragma once

#include "base/limits.hpp"
#include "base/text.hpp"
#include "queue/sqlite/admin/history.hpp"
#include "queue/sqlite/admin/inspection.hpp"
#include "queue/sqlite/delivery/deferral.hpp"
#include "queue/sqlite/delivery/leases.hpp"
#include "queue/sqlite/delivery/settlement.hpp"
#include "queue/sqlite/intake/arrivals.hpp"
#include "queue/sqlite/recovery/opening.hpp"
#include "queue/sqlite/store/store.hpp"
#include "support/fakes.hpp"
#include "support/folder.hpp"

#include <cstdlib>
#include <filesystem>

namespace support {

using queue::operator""_sql;

inline mail::Domain domain(const char* text) {
    return *mail::Domain::parse(text);
}
inline mail::Mailbox mailbox(const std::string& text) {
    return *mail::Mailbox::parse(text);
}

/// We are mail.a.test and serve a.test.
inline queue::Router a_test_router() {
    return queue::Router({{domain("a.test"), "mail.a.test"}}, "mail.a.test");
}

inline queue::StoreSettings settings_in(const Folder& folder) {
    queue::StoreSettings settings;
    settings.directory = folder.path();
    settings.hostname = "mx.a.test";
    settings.retry = {std::chrono::seconds(8), std::chrono::seconds(64)};
    return settings;
}

inline queue::Arrival arrival(
    const std::string& from, const std::vector<std::string>& to,
    std::string content = "Subject: hello\r\nMessage-ID: <1@a.test>\r\n\r\nHi.\r\n") {
    const queue::Router router = a_test_router();
    queue::Arrival arrival;
    if (!from.empty()) arrival.envelope.from = mailbox(from);
    for (const auto& address : to) {
        const auto n = static_cast<std::uint32_t>(arrival.envelope.recipients.size());
        arrival.envelope.recipients.push_back({n, mailbox(address), {}, ""});
        arrival.destinations.push_back(router.route(arrival.envelope.from, mailbox(address)));
    }
    arrival.content = mail::Content(std::move(content));
    arrival.origin.client = "127.0.0.1";
    arrival.origin.helo = "mx.a.test";
    return arrival;
}

/// The same as a peer sends it: bob's mail for alice, with the key of its transfer.
inline queue::Arrival from_peer(const std::vector<std::string>& to = {"alice@a.test"},
                                const std::string& from = "bob@b.test") {
    queue::Arrival mail = arrival(from, to);
    mail.origin = {queue::Origin::Kind::xmpp, "mail.b.test", "",
                   queue::TransferKey{domain("b.test"), "018f00000001"}, "mail.a.test"};
    return mail;
}

inline const queue::Destination kToB{queue::Lane::xmpp, "mail.a.test", "b.test"};
inline const queue::Destination kLocal{queue::Lane::local, "", ""};
inline const queue::Destination kReportToB{queue::Lane::report, "mail.a.test", "mail.b.test"};
/// What is leased to an MTA of ours, one at a time.
inline const queue::Ready kOneByOne{"", {1, 1000, 1}};
inline const queue::Destination kRelay{queue::Lane::relay, "", ""};
inline const queue::Ready kReadyB{"mail.b.test", {100, 1000, 1u << 20}};

inline mail::Reply reply(int code, const char* status, const char* text) {
    return {code, *mail::EnhancedStatus::parse(status), text};
}
inline queue::Delivered delivered() {
    return {reply(250, "2.1.5", "ok"), "mail.b.test"};
}
inline queue::Failed failed() {
    return {reply(550, "5.1.1", "No such user here"), "mail.b.test"};
}
inline queue::Deferred unreachable() {
    return {reply(451, "4.4.1", "no answer"), "mail.b.test", false, {}};
}

inline queue::MessageOutcome all(const queue::LeasedMessage& message,
                                 const queue::Outcome& outcome) {
    queue::MessageOutcome result{message.id, {}, true};
    for (const auto& recipient : message.envelope.recipients)
        result.recipients.push_back({recipient.n, outcome});
    return result;
}

/// Runs what the storage thread would run, each call as a transaction of its own.
class StoreFixture {
  public:
    StoreFixture() { open(); }
    void open() {
        store_.reset();
        auto settings = settings_in(folder);
        settings.disk_reserve = reserve_;
        settings.peer_quota = quota_;
        settings.complaints = complaints_;
        auto opened = queue::open_queue(settings, router_, clock, random);
        if (!opened) throw std::runtime_error(opened.error().text);
        store_ = std::move(*opened);
    }
    queue::Store& store() { return *store_; }
    /// For a thread of its own; open() then opens it anew.
    std::unique_ptr<queue::Store> give_store() { return std::move(store_); }
    /// A restart with another configuration.
    void use_router(queue::Router router) {
        router_ = std::move(router);
        open();
    }

    /// A restart with so many bytes of the disk kept free.
    void reserve(std::uintmax_t bytes) {
        reserve_ = bytes;
        open();
    }

    /// A restart with another share for each peer.
    void quota(queue::PeerQuota quota) {
        quota_ = quota;
        open();
    }

    /// A restart with these going on.
    void complaints(queue::ComplaintSettings settings) {
        complaints_ = settings;
        open();
    }

    /// As `packetboat trace` has it.
    std::vector<queue::TracedMessage> trace(const std::string& name) {
        queue::Search search;
        while (search.next != queue::Search::Next::nothing)
            queue::go_on(store_->database(), name, search);
        return queue::trace(store_->database(), search.found);
    }

    template <class F>
    auto transact(F operation) {
        store_->database().execute("BEGIN IMMEDIATE"_sql);
        auto result = operation(*store_);
        if constexpr (requires { result.has_value(); }) {
            if (!result.has_value()) {
                store_->drop_actions(0);
                store_->database().execute("ROLLBACK"_sql);
                return result;
            }
        }
        store_->database().execute("COMMIT"_sql);
        store_->run_actions();
        return result;
    }
    queue::QueueId add(const queue::Arrival& arrival) {
        auto receipt = transact([&](queue::Store& s) { return queue::add_arrival(s, arrival); });
        return *receipt.value().id;
    }
    std::vector<queue::LeasedMessage> lease(const queue::Destination& destination = kToB,
                                            const queue::Ready& ready = kReadyB,
                                            queue::Portion portion = queue::Portion::small) {
        return transact(
                   [&](queue::Store& s) { return queue::lease(s, destination, ready, portion); })
            .value()
            .messages;
    }
    /// All steps of putting `destination` off, for what is found out now.
    queue::DueNow defer(const queue::Destination& destination, const queue::Deferred& why,
                        base::TimePoint until) {
        const queue::Silence silence{why, until, clock.now()};
        return in_steps([&](queue::Store& s, const queue::WaitingPlace& behind) {
                   return queue::defer_some(s, destination, silence, behind);
               })
            .due_now;
    }
    /// A restart: what the clock shows now was believed before it.
    void reopen() {
        transact([](queue::Store& s) {
            s.keep_clock();
            return 0;
        });
        open();
    }
    /// All steps of waking it. How many recipients that are.
    int wake(const queue::Destination& destination) {
        return in_steps([&](queue::Store& s, const queue::WaitingPlace& behind) {
                   return queue::wake_some(s, {destination, behind});
               })
            .changed;
    }
    queue::DueNow reroute(const queue::Destination& destination, const std::string& why) {
        return in_steps([&](queue::Store& s, const queue::WaitingPlace& behind) {
                   return queue::reroute_some(s, destination, why, behind);
               })
            .due_now;
    }
    queue::DueNow settle(const std::vector<queue::MessageOutcome>& outcomes) {
        return transact([&](queue::Store& s) { return queue::settle(s, outcomes); }).value();
    }
    std::int64_t count(const std::string& sql) {
        SQLite::Statement statement(raw(), sql);
        statement.executeStep();
        return statement.getColumn(0).getInt64();
    }

    Folder folder;
    ManualClock clock;
    SeededRandom random;

  private:
    template <class Step>
    queue::Stepped in_steps(Step step) {
        queue::Stepped sum;
        for (std::optional<queue::WaitingPlace> behind = queue::WaitingPlace(); behind;) {
            const auto done = transact([&](queue::Store& s) { return step(s, *behind); }).value();
            sum.changed += done.changed;
            queue::add_all(sum.due_now, done.due_now);
            behind = done.next;
        }
        return sum;
    }
    SQLite::Database& raw() {
        raw_ = std::make_unique<SQLite::Database>((folder.path() / "queue.db").string());
        return *raw_;
    }
    std::uintmax_t reserve_ = 0;
    queue::PeerQuota quota_;
    queue::ComplaintSettings complaints_;
    queue::Router router_ = a_test_router();
    std::unique_ptr<queue::Store> store_;
    std::unique_ptr<SQLite::Database> raw_;
};

}  // namespace support
