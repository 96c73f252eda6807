// The queue at work on a disk that the shim breaks; and afterwards, on a sound one, the proof of
// what is left.
//
// `fault_driver work DIR SEED STEPS`: does a sequence of things, and prints what was acknowledged,
// each line before the next thing is begun. `fault_driver check DIR`: prints what is there. `repair
// DIR`: what `queue verify --repair` does, and names.
#include "base/limits.hpp"
#include "mail/header_scanner.hpp"
#include "queue/disk/directory_lock.hpp"
#include "queue/intake/queue_intake.hpp"
#include "queue/intake/stored_transfers.hpp"
#include "queue/sqlite/admin/verify.hpp"
#include "queue/sqlite/delivery/leases.hpp"
#include "queue/sqlite/delivery/settlement.hpp"
#include "queue/sqlite/intake/arrivals.hpp"
#include "queue/sqlite/intake/verdicts.hpp"
#include "queue/sqlite/recovery/opening.hpp"
#include "queue/sqlite/recovery/repair.hpp"
#include "queue/sqlite/store/rows.hpp"
#include "support/contents.hpp"
#include "support/fakes.hpp"
#include "support/queue/looking_ledger.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

namespace {

using queue::operator""_sql;
using support::run;

const queue::Destination kToB{queue::Lane::xmpp, "mail.a.test", "b.test"};
const queue::Ready kReady{"mail.b.test", {100, 1000, 8u << 20}};

void say(const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

queue::Router router() {
    return queue::Router({{*mail::Domain::parse("a.test"), "mail.a.test"}}, "mail.a.test");
}

std::string content_of(int number, bool large) {
    std::string text = fmt::format("Message-ID: <{}@a.test>\r\n\r\n", number);
    const std::size_t size = large ? base::limits::kInlineContent + 1000 : 500;
    while (text.size() < size)
        text += fmt::format("{:06d} {}\r\n", number, text.size());
    return text;
}

queue::Arrival arrival(int number, bool large) {
    queue::Arrival mail;
    mail.envelope.from = *mail::Mailbox::parse("alice@a.test");
    mail.envelope.recipients.push_back({0, *mail::Mailbox::parse("bob@b.test"), {}, ""});
    mail.destinations.push_back(kToB);
    mail.content = mail::Content(content_of(number, large));
    mail.origin.client = "127.0.0.1";
    return mail;
}

std::unique_ptr<queue::Store> open(const char* directory, const base::Clock& clock,
                                   base::Random& random) {
    queue::StoreSettings settings;
    settings.directory = directory;
    settings.hostname = "mx.a.test";
    settings.retry = {std::chrono::milliseconds(1), std::chrono::milliseconds(1)};
    auto store = queue::open_queue(settings, router(), clock, random);
    if (!store) {
        say("closed " + store.error().text);
        std::exit(3);
    }
    return std::move(*store);
}

/// Notices when it can't be said of a commit whether it is on the disk: then files stay that rows
/// may name.
class CommitWatch : public spdlog::sinks::base_sink<std::mutex> {
  public:
    bool has_failed() const { return failed_; }

  protected:
    void sink_it_(const spdlog::details::log_msg& line) override {
        const std::string_view text(line.payload.data(), line.payload.size());
        if (text.find("storage-failed") != text.npos && text.find("commit") != text.npos)
            failed_ = true;
    }
    void flush_() override {}

  private:
    std::atomic<bool> failed_ = false;
};

/// The queue between a door and a peer that says yes or no.
class Working {
  public:
    Working(const char* directory, std::uint64_t seed)
        : chance_(seed),
          storage_(io_.get_executor(), std::make_unique<support::LookingLedger>(
                                           open(directory, clock_, random_), looks_)) {}

    void step(int number) {
        switch (chance_.below(8)) {
            case 0:
            case 1:
                return arrive(number, false);
            case 2:
                return arrive(number, true);
            case 3:
                return arrive_in_a_spool(number);
            case 4:
                return take_transfer(number);
            case 5:
                return take_transfer_in_pieces(number);
            case 6:
                return deliver(queue::Portion::large);
            default:
                return deliver(queue::Portion::small);
        }
    }

    /// Files that no row names.
    std::vector<queue::QueueId> orphans() {
        using Ids = std::vector<queue::QueueId>;
        Ids found;
        (void)support::look(io_, storage_, *looks_, [&](queue::Store& store) {
            const auto note = [&](queue::Sql sql, queue::QueueId id) {
                auto row = store.database().query(sql);
                if (!row.bind(id.value).step()) found.push_back(id);
                return true;
            };
            store.files().sweep([&](queue::QueueId id) {
                return note("SELECT 1 FROM content WHERE message = ?1 AND bytes IS NULL"_sql, id);
            });
            store.spool().sweep([&](queue::QueueId id) {
                return note("SELECT 1 FROM partial WHERE file = ?1"_sql, id);
            });
        });
        return found;
    }

  private:
    template <class T>
    T await(const std::function<base::Task<T>()>& body) {
        return run<T>(io_, body);
    }

    void accept(int number, queue::Arrival mail, const char* what) {
        const bool taken = await<bool>([&]() -> base::Task<bool> {
            const auto receipt = co_await intake_.accept(std::move(mail));
            co_return receipt.has_value();
        });
        say(fmt::format("{} {} {}", taken ? what : "refused", number, taken ? "" : what));
    }
    void arrive(int number, bool large) { accept(number, arrival(number, large), "accepted"); }

    void arrive_in_a_spool(int number) {
        const std::string content = content_of(number, true);
        std::shared_ptr<queue::Spool> spool;
        const bool ready = await<bool>([&]() -> base::Task<bool> {
            auto opened = co_await intake_.spool();
            if (!opened) co_return false;
            spool = *opened;
            for (std::size_t at = 0; at < content.size(); at += 100'000) {
                const auto appended = co_await spool->append(content.substr(at, 100'000));
                if (!appended) co_return false;
            }
            co_return true;
        });
        if (!ready) return say(fmt::format("refused {} spool", number));
        queue::Arrival mail = arrival(number, true);
        mail.file = spool->file();
        accept(number, std::move(mail), "accepted");
    }

    static queue::TransferKey key_of(int number) {
        return {*mail::Domain::parse("b.test"), fmt::format("transfer{:08d}", number)};
    }

    queue::Arrival transfer(int number, bool large) {
        queue::Arrival mail = arrival(number, large);
        const queue::TransferKey key = key_of(number);
        mail.origin = {queue::Origin::Kind::xmpp, "mail.b.test", "", key, "mail.a.test"};
        mail.envelope.from = *mail::Mailbox::parse("bob@b.test");
        mail.envelope.recipients[0].address = *mail::Mailbox::parse("alice@a.test");
        mail.destinations[0] = {queue::Lane::local, "", ""};
        mail.transfer = queue::ReceivedTransfer{key,
                                                "mail.b.test",
                                                "mail.a.test",
                                                {},
                                                clock_.now() + std::chrono::hours(24),
                                                {{0, {250, {2, 1, 5}, ""}}}};
        return mail;
    }

    void take_transfer(int number) { accept(number, transfer(number, false), "verdict"); }

    /// A piece that could not be stored is sent again, as a peer does.
    void take_transfer_in_pieces(int number) {
        const std::string content = content_of(number, true);
        queue::Arrival mail = transfer(number, true);
        const queue::TransferKey key = key_of(number);
        const bool ready = await<bool>([&]() -> base::Task<bool> {
            queue::Opening opening{key,  "mail.b.test", {}, content.size(), mail.transfer->expires,
                                   false};
            const auto opened = co_await book_.open(std::move(opening));
            if (!opened) co_return false;
            for (std::size_t at = 0; at < content.size();) {
                queue::Piece piece{key, "mail.b.test", at, content.substr(at, 150'000)};
                const std::size_t size = piece.bytes.size();
                queue::Piece again = piece;
                auto added = co_await book_.add(std::move(piece));
                if (!added) added = co_await book_.add(std::move(again));
                if (!added) co_return false;
                at += size;
                if ((**added).offset != at) co_return false;
            }
            auto complete = co_await book_.content(key, "mail.b.test");
            if (!complete) co_return false;
            mail.content = std::move(complete->content);
            mail.file = complete->file;
            co_return true;
        });
        if (!ready) return say(fmt::format("refused {} pieces", number));
        mail.transfer->in_pieces = true;
        accept(number, std::move(mail), "verdict");
    }

    void deliver(queue::Portion portion) {
        using Leased = std::vector<queue::LeasedMessage>;
        Leased leased = await<Leased>([&]() -> base::Task<Leased> {
            queue::LeaseDue lease{kToB, kReady, portion == queue::Portion::small,
                                  portion == queue::Portion::large};
            auto done = co_await storage_.write(std::move(lease));
            co_return done ? std::move(done->release().lease.messages) : Leased();
        });
        for (const auto& message : leased) {
            const bool yes = chance_.below(3) > 0;
            queue::Outcome outcome = queue::Failed{{550, {5, 1, 1}, "no"}, "mail.b.test"};
            if (yes) outcome = queue::Delivered{{250, {2, 1, 5}, "ok"}, "mail.b.test"};
            const auto outcomes = std::make_shared<std::vector<queue::MessageOutcome>>();
            outcomes->push_back({message.id, {{0, outcome}}, true});
            say("trying " + message.id.to_text());
            const bool settled = await<bool>([&]() -> base::Task<bool> {
                queue::Settle settle{outcomes};
                const auto done = co_await storage_.write(std::move(settle));
                co_return done.has_value();
            });
            const std::string content = support::all_of(message.content);
            const auto header = mail::summarize_header(content);
            say(fmt::format("{} {} {}", settled ? "settled" : "unsettled", header.message_id,
                            yes ? "yes" : "no"));
        }
    }

    support::SeededRandom chance_;
    support::SeededRandom random_;
    base::SystemClock clock_;
    boost::asio::io_context io_;
    std::shared_ptr<support::Looks> looks_ = std::make_shared<support::Looks>();
    queue::StorageThread storage_;
    queue::QueueIntake intake_{storage_, [](const queue::Destination&) {}};
    queue::StoredTransfers book_{storage_};
};

int work(const char* directory, std::uint64_t seed, int steps) {
    const auto watch = std::make_shared<CommitWatch>();
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("", watch));
    spdlog::set_level(spdlog::level::info);
    Working working(directory, seed);
    for (int i = 1; i <= steps; ++i)
        working.step(i);
    if (!watch->has_failed()) {
        for (const auto id : working.orphans())
            say("orphan " + id.to_text());
    }
    say("end");
    return 0;
}

int check(const char* directory) {
    base::SystemClock clock;
    support::SeededRandom random;
    const auto store = open(directory, clock, random);
    for (const auto& finding :
         queue::verify(store->database(), {&store->files(), &store->spool(), false}))
        say("fault " + finding.message.to_text() + " " + finding.text);
    auto all = store->database().query(
        "SELECT m.id, m.message_id, r.state, m.size, m.origin_kind FROM message m"
        " JOIN recipient r ON r.message = m.id"_sql);
    struct Row {
        queue::QueueId id;
        std::string name;
        int state;
        std::size_t size;
        int kind;
    };
    std::vector<Row> rows;
    while (all.step())
        rows.push_back({queue::QueueId{all.integer(0)}, all.text(1),
                        static_cast<int>(all.integer(2)), static_cast<std::size_t>(all.integer(3)),
                        static_cast<int>(all.integer(4))});
    for (const Row& row : rows) {
        std::string whole = "gone";
        if (row.state < 5) {
            const auto content = queue::read_beginning(*store, row.id, row.size, row.size);
            const int number = row.name.size() > 1 ? std::atoi(row.name.c_str() + 1) : 0;
            const bool same = content && (content->bytes() == content_of(number, false) ||
                                          content->bytes() == content_of(number, true));
            whole = same || (content && row.kind == 3) ? "whole" : "broken";
        }
        say(fmt::format("id {} {}", row.name.empty() ? "-" : row.name, row.id.to_text()));
        say(fmt::format("message {} {} {} {}", row.name.empty() ? "-" : row.name, row.state, whole,
                        row.kind));
    }
    auto verdicts = store->database().query("SELECT id FROM verdict"_sql);
    while (verdicts.step())
        say("verdict " + verdicts.text(0));
    return 0;
}

int repair(const char* directory) {
    const base::SystemClock clock;
    const auto lock = queue::DirectoryLock::take(directory);
    const auto repaired = queue::repair(directory, clock.now());
    if (!lock || !repaired) {
        say("closed " + (lock ? repaired.error().text : lock.error().text));
        return 3;
    }
    if (!*repaired) return 0;
    say("repaired");
    for (const auto& line : (*repaired)->lines)
        say("named " + line);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    spdlog::set_level(spdlog::level::off);
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "work" && argc == 5)
        return work(argv[2], std::strtoull(argv[3], nullptr, 10), std::atoi(argv[4]));
    try {
        if (what == "check" && argc == 3) return check(argv[2]);
    } catch (const SQLite::Exception& error) {
        // Where the daemon meets it, it ends, and its next start repairs.
        say(std::string("closed ") + error.what());
        return 3;
    }
    if (what == "repair" && argc == 3) return repair(argv[2]);
    fmt::print(stderr, "usage: fault_driver work DIR SEED STEPS | check DIR | repair DIR\n");
    return 2;
}
