// A domain's form is read, again and again; when does its promise count, and how long?
#include "queue/peer_promise.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using queue::FormReading;
using queue::PeerPromise;
using queue::PromiseNews;

namespace {

const base::TimePoint kStart{std::chrono::seconds(1'800'000'000)};
constexpr std::chrono::hours kDay24{24};

mail::Domain promiser() {
    return *mail::Domain::parse("a.test");
}

/// What is known of a.test, and a clock.
struct FormReader {
    std::optional<PeerPromise> known;
    base::TimePoint now = kStart;
    bool believed = true;

    PromiseNews reads(FormReading reading) {
        auto read = after_reading(known, reading, now, believed);
        known = std::move(read.promise);
        return read.news;
    }
    PromiseNews reads(std::chrono::hours ahead, bool verified = true) {
        return reads(FormReading{promiser(), "mail.a.test", verified, now + ahead});
    }
    PromiseNews reads_nothing(bool verified = true) {
        return reads(FormReading{promiser(), "mail.a.test", verified, {}});
    }
    bool stands() const { return known && known->stands(now); }
};

}  // namespace

TEST_CASE("a promise counts once it was read twice, a day apart") {
    FormReader reader;
    CHECK(reader.reads(168h) == PromiseNews::first);
    CHECK_FALSE(reader.stands());
    reader.now += kDay24 - 1ms;
    CHECK(reader.reads(168h) == PromiseNews::renewed);
    CHECK_FALSE(reader.stands());
    reader.now += 1ms;
    CHECK(reader.reads(168h) == PromiseNews::counts);
    CHECK(reader.stands());
    CHECK(reader.reads(168h) == PromiseNews::renewed);
    CHECK(reader.known->first_read == kStart);
    CHECK(reader.known->last_read == kStart + kDay24);
}

TEST_CASE("a reading without it in between has it begin anew") {
    FormReader reader;
    reader.reads(168h);
    reader.now += 23h;
    CHECK(reader.reads_nothing() == PromiseNews::withdrawn);
    CHECK(reader.reads_nothing() == PromiseNews::nothing);
    CHECK(reader.reads(168h) == PromiseNews::first);
    reader.now += 23h;
    CHECK(reader.reads(168h) == PromiseNews::renewed);
    CHECK_FALSE(reader.stands());
}

TEST_CASE("it lasts for two weeks at the most, and is renewed by reading") {
    FormReader reader;
    reader.reads(1000'000h);
    reader.now += 25h;
    reader.reads(1000'000h);
    const auto read_at = reader.now;
    CHECK(reader.known->until == read_at + 336h);
    reader.now = read_at + 336h - 1ms;
    CHECK(reader.stands());
    reader.now += 1ms;
    CHECK_FALSE(reader.stands());
    // It was over: the next reading is a first one.
    CHECK(reader.reads(168h) == PromiseNews::first);
    CHECK_FALSE(reader.stands());
}

TEST_CASE("its own newer form shortens it, or ends it, at once") {
    FormReader reader;
    reader.reads(300h);
    reader.now += 25h;
    reader.reads(300h);
    reader.reads(1h);
    CHECK(reader.known->until == reader.now + 1h);
    SECTION("none is announced") {
        CHECK(reader.reads_nothing() == PromiseNews::withdrawn);
    }
    SECTION("its date is over") {
        CHECK(reader.reads(0h) == PromiseNews::withdrawn);
    }
    CHECK_FALSE(reader.known);
}

TEST_CASE("a date in the past begins nothing") {
    FormReader reader;
    CHECK(reader.reads(-1h) == PromiseNews::nothing);
    CHECK_FALSE(reader.known);
}

TEST_CASE("what is read over a weaker link changes nothing") {
    FormReader reader;
    CHECK(reader.reads(168h, false) == PromiseNews::nothing);
    CHECK_FALSE(reader.known);
    reader.reads(168h);
    const auto before = reader.known;
    reader.now += 25h;
    CHECK(reader.reads(300h, false) == PromiseNews::nothing);
    CHECK(reader.reads_nothing(false) == PromiseNews::nothing);
    CHECK(reader.known == before);
}

TEST_CASE("another component that speaks for the domain begins anew") {
    FormReader reader;
    reader.reads(168h);
    reader.known->bind(*mail::Domain::parse("b.test"));
    reader.now += 25h;
    CHECK(reader.reads(FormReading{promiser(), "post.a.test", true, reader.now + 168h}) ==
          PromiseNews::first);
    CHECK(reader.known->component == "post.a.test");
    CHECK(reader.known->bound.empty());
    CHECK_FALSE(reader.stands());
}

TEST_CASE("a clock that is not believed begins and renews nothing, and a withdrawal needs none") {
    FormReader reader;
    reader.believed = false;
    CHECK(reader.reads(168h) == PromiseNews::nothing);
    CHECK_FALSE(reader.known);
    reader.believed = true;
    reader.reads(168h);
    const auto before = reader.known;
    reader.now += 1000h;
    reader.believed = false;
    CHECK(reader.reads(168h) == PromiseNews::nothing);
    CHECK(reader.known == before);
    CHECK(reader.reads_nothing() == PromiseNews::withdrawn);
}

TEST_CASE("a clock that has jumped, and is believed in the end, makes nothing count early") {
    FormReader reader;
    reader.reads(168h);
    reader.now += 30h;
    reader.known = after_clock_change(*reader.known, reader.now);
    CHECK(reader.reads(168h) == PromiseNews::first);
    CHECK_FALSE(reader.stands());
    reader.now += kDay24;
    CHECK(reader.reads(168h) == PromiseNews::counts);
}

TEST_CASE("a clock that was ahead for a while, and is set, locks nobody out") {
    FormReader reader;
    reader.now = kStart + 100'000h;
    reader.reads(168h);
    reader.now += 25h;
    reader.reads(168h);
    reader.now = kStart;
    reader.known = after_clock_change(*reader.known, reader.now);
    CHECK(reader.known->counts);
    CHECK(reader.known->until == kStart + 336h);
    CHECK(reader.known->first_read == kStart);
    CHECK(reader.known->last_read == kStart);
    reader.now += 336h;
    CHECK_FALSE(reader.stands());
}

TEST_CASE("it binds towards domains of ours, exactly") {
    const auto ours = [](const char* name) { return *mail::Domain::parse(name); };
    PeerPromise promise{promiser(), "mail.a.test"};
    CHECK_FALSE(promise.binds(ours("b.test")));
    promise.bind(ours("b.test"));
    CHECK(promise.binds(ours("b.test")));
    CHECK_FALSE(promise.binds(ours("b2.test")));
    CHECK_FALSE(promise.binds(ours("x.b.test")));
}
