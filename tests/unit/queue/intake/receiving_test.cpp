// Receiving: each step on each state, as the protocol has it.
#include "queue/intake/receiving.hpp"

#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using queue::Effect;
using queue::KnownTransfer;
using State = queue::KnownTransfer::State;

namespace {

const queue::TransferKey kKey{domain("a.test"), "018f00000001"};
const std::string kPeer = "mail.a.test";
const mail::Sha256 kDigest{7};

/// One of ten octets, of which so many are here.
KnownTransfer open_one(std::uint64_t offset = 0) {
    KnownTransfer known;
    REQUIRE(open(known, {kKey, kPeer, kDigest, 10, {}, false}) == Effect::changed);
    if (offset > 0) REQUIRE(add(known, kPeer, 0, offset) == Effect::changed);
    return known;
}

queue::ReceivedTransfer whole(bool in_pieces, const std::string& peer = kPeer,
                              mail::Sha256 digest = kDigest) {
    queue::ReceivedTransfer transfer{kKey, peer, "mail.b.test", digest, {}, {}};
    transfer.in_pieces = in_pieces;
    return transfer;
}

}  // namespace

TEST_CASE("a piece goes where the last one ended, and only its own peer's") {
    auto known = open_one(4);
    CHECK(add(known, "mail.c.test", 4, 1) == Effect::not_open);
    CHECK(add(known, kPeer, 5, 1) == Effect::gap);
    CHECK(add(known, kPeer, 0, 4) == Effect::same);
    CHECK(add(known, kPeer, 4, 7) == Effect::too_long);
    CHECK(add(known, kPeer, 0, 11) == Effect::too_long);
    CHECK(add(known, kPeer, 11, 0) == Effect::too_long);
    CHECK(known.offset == 4);
    CHECK(add(known, kPeer, 4, 6) == Effect::changed);
    CHECK(known.offset == 10);
    KnownTransfer unknown;
    CHECK(add(unknown, kPeer, 0, 1) == Effect::not_open);
}

TEST_CASE("what comes in pieces is finished when all of them are here, and was opened before") {
    KnownTransfer unknown;
    CHECK(finish(unknown, whole(true)) == Effect::not_open);
    auto known = open_one(9);
    CHECK(finish(known, whole(true)) == Effect::gap);
    CHECK(known.state == State::open);
    REQUIRE(add(known, kPeer, 9, 1) == Effect::changed);
    CHECK(finish(known, whole(true)) == Effect::changed);
    CHECK(known.state == State::done);
    CHECK(finish(known, whole(true)) == Effect::same);
}

TEST_CASE("what comes whole is finished at once, whatever has come in pieces") {
    KnownTransfer unknown;
    CHECK(finish(unknown, whole(false)) == Effect::changed);
    auto known = open_one(3);
    CHECK(finish(known, whole(false)) == Effect::changed);
    CHECK(known.state == State::done);
}

TEST_CASE("a key is one peer's and one message's, in each state") {
    auto known = open_one();
    SECTION("open") {}
    SECTION("done") {
        REQUIRE(finish(known, whole(false)) == Effect::changed);
    }
    const mail::Sha256 other{8};
    CHECK(open(known, {kKey, "mail.c.test", kDigest, 10, {}, false}) == Effect::conflict);
    CHECK(open(known, {kKey, kPeer, other, 10, {}, false}) == Effect::conflict);
    CHECK(finish(known, whole(false, "mail.c.test")) == Effect::conflict);
    CHECK(finish(known, whole(false, kPeer, other)) == Effect::conflict);
    CHECK(call_back(known, {kKey, "mail.c.test", {}, {}}) == Effect::conflict);
    CHECK(call_back(known, {kKey, kPeer, {}, other}) == Effect::conflict);
}

TEST_CASE("what is done stays done, and what was called back is never taken") {
    auto done = open_one();
    REQUIRE(finish(done, whole(false)) == Effect::changed);
    CHECK(call_back(done, {kKey, kPeer, {}, kDigest}) == Effect::same);
    CHECK(done.state == State::done);
    for (KnownTransfer known : {KnownTransfer(), open_one(3)}) {
        CHECK(call_back(known, {kKey, kPeer, {}, {}}) == Effect::changed);
        CHECK(known.state == State::aborted);
        CHECK(finish(known, whole(false)) == Effect::same);
        CHECK(open(known, {kKey, kPeer, kDigest, 10, {}, false}) == Effect::same);
        CHECK(known.state == State::aborted);
    }
}
