// Sending: what is asked next, and what an answer proves. The simulation drives it over a network
// that loses and repeats; here each rule stands by itself.
#include "component/protocol/sending.hpp"

#include <catch2/catch.hpp>

using namespace component;
using Ask = Sending::Ask;
using End = Sending::End;
using Goal = Sending::Goal;
using Kind = Failure::Kind;
using State = Verdict::State;

namespace {

constexpr std::uint64_t kSize = 10u << 20;
constexpr std::size_t kBlock = 1u << 20;
constexpr std::size_t kWindow = 2u << 20;

Verdict verdict(State state, std::uint64_t offset = 0, std::size_t window = kWindow) {
    return {{*mail::Domain::parse("a.test"), "018f00000001"}, state, {}, {}, offset, window};
}

Failure failure(Kind kind, std::uint64_t offset = 0) {
    Failure failure;
    failure.kind = kind;
    failure.offset = offset;
    return failure;
}

Sending::Request asked(Sending& sending) {
    const auto request = sending.next(kBlock);
    REQUIRE(request);
    return *request;
}

/// One in pieces that its peer has opened.
Sending opened(std::size_t window = kWindow, std::uint64_t size = kSize) {
    Sending sending(Goal::deliver, false, size);
    sending.in_pieces();
    const auto open = asked(sending);
    CHECK(open.ask == Ask::open);
    sending.on_verdict(open, verdict(State::open, 0, window));
    return sending;
}

}  // namespace

TEST_CASE("it is not certain that nothing is there while the first answer is awaited") {
    Sending sending(Goal::deliver, false, kSize);
    sending.in_pieces();
    CHECK(sending.is_certain());
    const auto open = asked(sending);
    CHECK_FALSE(sending.is_certain());
    sending.on_verdict(open, verdict(State::open));
    CHECK(sending.is_certain());
    const auto chunk = asked(sending);
    CHECK(chunk.ask == Ask::chunk);
    // An abort has to be asked for in any case.
    CHECK(sending.is_certain());
}

TEST_CASE("what never left is free to go; what may have left is called back first") {
    Sending unsent(Goal::deliver, false, 10);
    unsent.call_back(failure(Kind::refused));
    CHECK(unsent.ended());
    CHECK(unsent.end() == End::never_stored);
    CHECK_FALSE(unsent.may_have_left());

    Sending sent(Goal::deliver, true, 10);
    sent.call_back(failure(Kind::refused));
    CHECK_FALSE(sent.ended());
    const auto abort = asked(sent);
    CHECK(abort.ask == Ask::abort);
    sent.on_verdict(abort, verdict(State::aborted));
    CHECK(sent.end() == End::called_back);
    CHECK(sent.ended());
}

TEST_CASE("a request that may have left fences, and one that did not leaves all free") {
    for (const bool left : {false, true}) {
        Sending sending(Goal::deliver, false, 10);
        sending.on_failure(asked(sending), failure(Kind::silence), left);
        CHECK(sending.is_fenced() == left);
        CHECK(sending.may_have_left() == left);
        CHECK(sending.end() == (left ? End::unclear : End::never_stored));
    }
}

TEST_CASE("to look moves nothing, and what is seen fences") {
    Sending looking(Goal::learn, false, 10);
    const auto status = asked(looking);
    CHECK(status.ask == Ask::status);
    looking.on_failure(status, failure(Kind::silence), true);
    CHECK_FALSE(looking.may_have_left());
    CHECK_FALSE(looking.is_fenced());

    // Nothing of it was taken, and its time is over: if the peer knows it, it is called back.
    Sending known(Goal::learn, false, 10);
    known.on_verdict(asked(known), verdict(State::open));
    CHECK(known.is_fenced());
    CHECK_FALSE(known.may_have_left());
    CHECK(asked(known).ask == Ask::abort);
    Sending unknown(Goal::learn, false, 10);
    unknown.on_verdict(asked(unknown), verdict(State::unknown));
    CHECK_FALSE(unknown.is_fenced());
    CHECK(unknown.end() == End::never_stored);
}

TEST_CASE("a verdict counts whenever it comes, and an abort that the peer confirms is the end") {
    Sending late(Goal::deliver, false, 10);
    const auto whole = asked(late);
    late.give_up(failure(Kind::silence));
    late.on_verdict(whole, verdict(State::done));
    CHECK(late.end() == End::decided);
    CHECK(late.ended());

    // The other copy of an abort was quicker than what was sent again.
    Sending aborted(Goal::deliver, true, 10);
    aborted.on_verdict(asked(aborted), verdict(State::aborted));
    CHECK(aborted.end() == End::called_back);
}

TEST_CASE("id-reuse is a conflict, which no call-back undoes") {
    Sending sending(Goal::deliver, true, 10);
    sending.on_failure(asked(sending), failure(Kind::id_reuse), true);
    CHECK(sending.end() == End::conflict);
    CHECK(sending.ended());
}

TEST_CASE("what the peer won't take like this is called back") {
    const Kind kind = GENERATE(Kind::not_authorised, Kind::malformed);
    Sending sending(Goal::deliver, false, 10);
    sending.on_failure(asked(sending), failure(kind), true);
    CHECK_FALSE(sending.ended());
    CHECK(asked(sending).ask == Ask::abort);
}

TEST_CASE("no more is on its way than the window, and it moves on with each ack") {
    Sending sending = opened();
    const auto first = asked(sending);
    const auto second = asked(sending);
    CHECK(first.ask == Ask::chunk);
    CHECK(second.offset == kBlock);
    CHECK_FALSE(sending.next(kBlock));
    sending.on_ack(first, kBlock);
    const auto third = asked(sending);
    CHECK(third.offset == 2 * kBlock);
    CHECK_FALSE(sending.next(kBlock));
}

TEST_CASE("a peer whose window is too small to ever get on is not begun with") {
    for (const auto& [window, good] : {std::pair{4096U, true}, {4095U, false}, {0U, false}}) {
        Sending sending = opened(window);
        CHECK(sending.ended() != good);
        if (!good) CHECK(sending.end() == End::unclear);
    }
}

TEST_CASE("a small transfer ends with the commit that follows its last byte") {
    Sending sending = opened(kWindow, 100);
    const auto chunk = asked(sending);
    CHECK(chunk.size == 100);
    sending.on_ack(chunk, 100);
    const auto commit = asked(sending);
    CHECK(commit.ask == Ask::commit);
    sending.on_verdict(commit, verdict(State::done));
    CHECK(sending.end() == End::decided);
}

TEST_CASE("a peer that goes back again and again is given a rest") {
    Sending sending = opened(kWindow, kBlock);
    int rewinds = 0;
    while (!sending.ended()) {
        sending.on_failure(asked(sending), failure(Kind::bad_offset, kBlock - 1), true);
        REQUIRE(++rewinds < 100);
    }
    CHECK(rewinds > 5);
    CHECK(sending.end() == End::unclear);
}

TEST_CASE("nor is the same sent more than once over again, however the peer asks for it") {
    Sending sending = opened();
    std::uint64_t bytes = 0;
    while (!sending.ended()) {
        const auto request = sending.next(kBlock);
        if (!request) break;
        REQUIRE(request->ask == Ask::chunk);
        bytes += request->size;
        REQUIRE(bytes < 5 * kSize);
        // Nearly all of it, and then from the start.
        if (request->offset + request->size < kSize - kBlock)
            sending.on_ack(*request, request->offset + request->size);
        else
            sending.on_failure(*request, failure(Kind::bad_offset, 0), true);
    }
    CHECK(sending.ended());
    CHECK(sending.end() == End::unclear);
    CHECK(bytes <= 2 * kSize + kBlock);
}

TEST_CASE("an acknowledgement of what was not sent, or of less, is no progress") {
    Sending beyond = opened();
    beyond.on_ack(asked(beyond), kSize + 1);
    CHECK(beyond.end() == End::unclear);
    Sending less = opened();
    const auto chunk = asked(less);
    less.on_ack(chunk, kBlock / 2);
    CHECK(asked(less).offset == kBlock / 2);
}
