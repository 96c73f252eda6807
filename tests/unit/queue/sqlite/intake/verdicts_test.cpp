// Transfers at their receiver, on the real store: the same steps as in memory, and what a restart,
// a quota and the clock do to them.
#include "queue/sqlite/intake/verdicts.hpp"

#include "base/limits.hpp"
#include "queue/sqlite/admin/history.hpp"
#include "queue/sqlite/intake/arrivals.hpp"
#include "support/contents.hpp"
#include "support/memory_disk.hpp"
#include "support/queue/fixture.hpp"

using namespace support;
using namespace std::chrono_literals;
using State = queue::KnownTransfer::State;

namespace {

queue::TransferKey key(int number) {
    return {domain("a.test"), fmt::format("019face33801a4c123b1612dd27{:05}", number)};
}

struct Book : StoreFixture {
    base::Result<queue::KnownTransfer> open_one(int number, std::size_t size,
                                                const std::string& peer = "mail.a.test",
                                                bool correspondent = false) {
        const queue::Opening opening{key(number),       peer,         {7}, size,
                                     clock.now() + 48h, correspondent};
        return transact([&](queue::Store& s) { return queue::open_transfer(s, opening); });
    }
    base::Result<queue::KnownTransfer> put(int number, std::uint64_t offset,
                                           const std::string& bytes) {
        const queue::Piece piece{key(number), "mail.a.test", offset, bytes};
        return transact([&](queue::Store& s) { return queue::add_piece(s, piece); });
    }
    queue::KnownTransfer known(int number) {
        return *transact([&](queue::Store& s) {
            return base::Result<queue::KnownTransfer>(queue::find_transfer(s, key(number)));
        });
    }
    queue::Arrival whole(int number, const queue::Content& content,
                         std::optional<queue::QueueId> file) {
        queue::Arrival mail = arrival("alice@b.test", {"bob@a.test"}, "");
        mail.content = content;
        mail.file = file;
        mail.transfer =
            queue::ReceivedTransfer{key(number), "mail.a.test",     "mail.b.test",
                                    {7},         clock.now() + 48h, {{0, {250, {2, 1, 5}, "ok"}}}};
        mail.transfer->in_pieces = file.has_value();
        return mail;
    }
    base::Result<queue::Receipt> accept(const queue::Arrival& mail) {
        return transact([&](queue::Store& s) { return queue::add_arrival(s, mail); });
    }
    std::ptrdiff_t spooled() {
        std::filesystem::directory_iterator each(folder.path() / "spool");
        return std::distance(begin(each), end(each));
    }
};

}  // namespace

TEST_CASE("a transfer in pieces survives a restart, and becomes a message without being copied") {
    Book book;
    REQUIRE(book.open_one(1, 10)->state == State::open);
    CHECK(book.put(1, 0, "Hello").value().offset == 5);
    CHECK(book.spooled() == 1);
    book.open();
    CHECK(book.known(1).offset == 5);
    CHECK(book.spooled() == 1);
    CHECK(book.put(1, 7, "xx").value().offset == 5);
    CHECK(book.put(1, 0, "Hel").value().offset == 5);
    CHECK(book.put(1, 5, "World!").error().code == base::Errc::limit);
    CHECK(book.put(1, 5, "Wor\r\n").value().offset == 10);
    const auto complete = book.transact(
        [&](queue::Store& s) { return queue::complete_content(s, key(1), "mail.a.test"); });
    REQUIRE(complete);
    CHECK(all_of(complete->content) == "HelloWor\r\n");
    const auto receipt = book.accept(book.whole(1, complete->content, complete->file));
    REQUIRE(receipt);
    CHECK(book.spooled() == 0);
    CHECK(book.known(1).state == State::done);
    CHECK(book.known(1).queue_id == receipt->id);
    const auto leased = book.lease(kLocal, queue::Ready{"", {1, 1, 1u << 20}});
    REQUIRE(leased.size() == 1);
    CHECK(all_of(leased[0].content) == "HelloWor\r\n");
    // The same again is answered from what is known.
    CHECK(book.accept(book.whole(1, complete->content, complete->file)).value().earlier);
    CHECK(book.open_one(1, 10)->state == State::done);
    CHECK(book.put(1, 0, "x").error().code == base::Errc::not_found);
}

TEST_CASE("a peer has a bounded number of open transfers and of unknown keys called back") {
    Book book;
    int opened = 0;
    for (int i = 0; i < 100; ++i)
        opened += book.open_one(i, 1000) ? 1 : 0;
    CHECK(opened == 16);
    CHECK(book.open_one(99, 1000).error().code == base::Errc::busy);
    CHECK(book.open_one(0, 1000));
    CHECK(book.open_one(99, 1000, "mail.c.test"));
    CHECK(book.open_one(0, 1000, "mail.c.test").error().code == base::Errc::conflict);
    const auto call_back = [&](int number, const std::string& peer) {
        return book.transact([&](queue::Store& s) {
            return queue::call_transfer_back(s, {key(number), peer, book.clock.now() + 24h, {}});
        });
    };
    CHECK(call_back(0, "mail.c.test").error().code == base::Errc::conflict);
    CHECK(call_back(0, "mail.a.test").value().state == State::aborted);
    CHECK(book.open_one(0, 1000)->state == State::aborted);
    int called = 0;
    for (int i = 200; i < 1300; ++i)
        called += call_back(i, "mail.evil.test") ? 1 : 0;
    CHECK(called == 1000);
    CHECK(call_back(1300, "mail.a.test"));
}

TEST_CASE("all names of one organisation share its open transfers and its callbacks") {
    Book book;
    int opened = 0;
    for (int i = 0; i < 63 * 16; ++i)
        opened += book.open_one(i, 10, fmt::format("x{}.evil.test", i / 16)) ? 1 : 0;
    CHECK(opened == 16);
    CHECK(book.open_one(2000, 10, "mail.honest.test"));
    int called = 0;
    for (int i = 3000; i < 4100; ++i) {
        called += book.transact([&](queue::Store& s) {
            return queue::call_transfer_back(
                s, {key(i), fmt::format("x{}.evil.test", i), book.clock.now() + 24h, {}});
        })
                      ? 1
                      : 0;
    }
    CHECK(called == 1000);
}

TEST_CASE("strangers of any number leave room for others, and for peers that we write to") {
    Book book;
    int number = 0;
    int opened = 0;
    for (int organisation = 0; organisation < 400; ++organisation) {
        for (int i = 0; i < 16; ++i) {
            const std::string peer = fmt::format("mail.evil{}.test", organisation);
            opened += book.open_one(number++, 10, peer) ? 1 : 0;
        }
    }
    CHECK(opened == 600);
    CHECK(book.count("SELECT COUNT(*) FROM partial") == 600);
    CHECK(book.count("SELECT COUNT(DISTINCT organisation) FROM partial") > 150);
    CHECK(book.open_one(number++, 10, "mail.honest.test").error().code == base::Errc::busy);
    for (int i = 0; i < 2; ++i)
        CHECK(book.open_one(number++, 10, "mail.b.test", true));
    // What idles goes much sooner now, but for correspondents': others' first.
    book.clock.advance(3min);
    REQUIRE(book.open_one(number++, 10, "mail.honest.test"));
    CHECK(book.count("SELECT COUNT(*) FROM partial WHERE organisation = 'b.test'") == 2);
    CHECK(book.count("SELECT COUNT(*) FROM partial") < 200);
}

TEST_CASE("who exceeds its own share costs nobody else's open transfers") {
    Book book;
    REQUIRE(book.open_one(0, 10, "mail.honest.test"));
    for (int i = 1; i <= 16; ++i)
        REQUIRE(book.open_one(i, 10, "mail.evil.test"));
    book.clock.advance(3min);
    CHECK(book.open_one(17, 10, "mail.evil.test"));
    CHECK(book.known(0).state == State::open);
    CHECK(book.known(1).state == State::unknown);
}

TEST_CASE("rows of an older version are counted by their organisation after the next start") {
    Book book;
    for (int i = 0; i < 16; ++i)
        REQUIRE(book.open_one(i, 10, fmt::format("x{}.evil.test", i)));
    REQUIRE(book.transact([&](queue::Store& s) {
        return queue::call_transfer_back(s,
                                         {key(100), "mail.evil.test", book.clock.now() + 24h, {}});
    }));
    book.transact([](queue::Store& s) {
        s.database().execute("UPDATE partial SET organisation = ''"_sql);
        s.database().execute("UPDATE verdict SET organisation = ''"_sql);
        return 0;
    });
    book.open();
    CHECK(book.open_one(17, 10, "y.evil.test").error().code == base::Errc::busy);
    CHECK(book.count("SELECT COUNT(*) FROM verdict WHERE organisation = 'evil.test'") == 1);
}

TEST_CASE("room is kept on the disk when a transfer is opened, and given back in time") {
    Book book;
    CHECK(book.open_one(1, std::size_t(1) << 39).error().code == base::Errc::busy);
    CHECK(book.spooled() == 0);
    REQUIRE(book.open_one(2, 1000));
    const auto prune = [&] {
        return book.transact([](queue::Store& s) { return queue::prune(s); });
    };
    book.clock.advance(23h);
    REQUIRE(prune());
    CHECK(book.known(2).state == State::open);
    REQUIRE(book.put(2, 0, "x"));
    book.clock.advance(23h);
    REQUIRE(prune());
    CHECK(book.known(2).state == State::open);
    book.clock.advance(2h);
    REQUIRE(prune());
    CHECK(book.known(2).state == State::unknown);
    CHECK(book.spooled() == 0);
}

TEST_CASE("the store and the double in memory say the same, whatever is asked of them") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Book book;
        support::MemoryDisk disk;
        support::SeededRandom random(seed);
        const auto expires = book.clock.now() + 48h;
        for (int step = 0; step < 120; ++step) {
            INFO("seed " << seed << ", step " << step);
            const int number = static_cast<int>(random.below(3));
            const std::string peer = random.below(8) == 0 ? "mail.c.test" : "mail.a.test";
            const auto digest = static_cast<std::uint8_t>(random.below(8) == 0 ? 1 : 7);
            std::string real;
            std::string model;
            const auto say = [](const base::Result<queue::KnownTransfer>& r) {
                if (!r) return std::string(base::name(r.error().code));
                return fmt::format("{} {} {} {}", int(r->state), r->peer, r->size, r->offset);
            };
            switch (random.below(5)) {
                case 0: {
                    const queue::Opening opening{key(number), peer, {digest}, 30, expires};
                    real = say(book.transact(
                        [&](queue::Store& s) { return queue::open_transfer(s, opening); }));
                    model = say(disk.open(opening));
                    break;
                }
                case 1:
                case 2: {
                    const std::uint64_t offset =
                        random.below(4) == 0 ? random.below(30) : disk.find(key(number)).offset;
                    const std::string bytes(1 + random.below(12),
                                            static_cast<char>('a' + step % 26));
                    const queue::Piece piece{key(number), peer, offset, bytes};
                    real = say(
                        book.transact([&](queue::Store& s) { return queue::add_piece(s, piece); }));
                    model = say(disk.add(piece));
                    break;
                }
                case 3: {
                    auto complete = book.transact([&](queue::Store& s) {
                        return queue::complete_content(s, key(number), peer);
                    });
                    const auto same = disk.content(key(number), peer);
                    CHECK(complete.has_value() == same.has_value());
                    if (complete && same) CHECK(all_of(complete->content) == *same);
                    const bool in_pieces = complete.has_value() || random.below(2) == 0;
                    auto mail = complete ? book.whole(number, complete->content, complete->file)
                                         : book.whole(number, mail::Content("Hi\r\n"), {});
                    mail.transfer->in_pieces = in_pieces;
                    mail.transfer->peer = peer;
                    mail.transfer->digest = {digest};
                    const auto receipt = book.accept(mail);
                    if (complete) mail.content = mail::Content(*same);
                    const auto modelled = disk.accept(mail);
                    real = receipt ? (receipt->earlier ? "earlier" : "new")
                                   : base::name(receipt.error().code);
                    model = modelled ? (modelled->earlier ? "earlier" : "new")
                                     : base::name(modelled.error().code);
                    break;
                }
                default:
                    if (random.below(3) != 0) break;
                    const queue::Recall recall{
                        key(number), peer, expires,
                        random.below(4) == 0 ? std::nullopt : std::optional(mail::Sha256{digest})};
                    real = say(book.transact(
                        [&](queue::Store& s) { return queue::call_transfer_back(s, recall); }));
                    model = say(disk.call_back(recall));
            }
            CHECK(real == model);
            CHECK(say(book.known(number)) == say(disk.find(key(number))));
        }
    }
}

TEST_CASE("a verdict is kept until an hour after its transfer's end, which is never far ahead") {
    // How far ahead the peer's clock is.
    const auto ahead =
        GENERATE(base::TimePoint::duration(48h), base::limits::kRetention + 24h * 3650);
    const auto kept = std::min<base::TimePoint::duration>(ahead, base::limits::kRetention) +
                      base::limits::kVerdictGrace;
    Book book;
    auto mail = book.whole(1, mail::Content("Hello\r\n"), std::nullopt);
    mail.transfer->expires = book.clock.now() + ahead;
    REQUIRE(book.accept(mail));
    const auto prune = [&] {
        REQUIRE(book.transact([](queue::Store& s) { return queue::prune(s); }));
    };
    book.clock.advance(kept);
    prune();
    CHECK(book.known(1).state == State::done);
    book.clock.advance(1ms);
    prune();
    CHECK(book.known(1).state == State::unknown);
}

TEST_CASE("nobody adds to another peer's transfer, or reads what has come of it") {
    Book book;
    REQUIRE(book.open_one(1, 5));
    REQUIRE(book.put(1, 0, "Hell"));
    const auto other = [&](std::uint64_t offset) {
        const queue::Piece piece{key(1), "mail.c.test", offset, "x"};
        return book.transact([&](queue::Store& s) { return queue::add_piece(s, piece); });
    };
    CHECK(other(4).error().code == base::Errc::not_found);
    CHECK(other(0).error().code == base::Errc::not_found);
    CHECK(book.known(1).offset == 4);
}

TEST_CASE("of what is called back only what was unknown counts against a peer") {
    Book book;
    REQUIRE(book.open_one(1, 5));
    for (const int number : {1, 2}) {
        const queue::Recall recall{key(number), "mail.a.test", book.clock.now() + 1h, {}};
        REQUIRE(
            book.transact([&](queue::Store& s) { return queue::call_transfer_back(s, recall); }));
        CHECK(book.known(number).state == State::aborted);
    }
    CHECK(book.count("SELECT COUNT(*) FROM verdict WHERE aborted > 0") == 2);
    CHECK(book.count("SELECT COUNT(*) FROM verdict WHERE aborted = 1") == 1);
}
