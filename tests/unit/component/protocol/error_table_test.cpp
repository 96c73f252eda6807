// The error table: each row of the protocol's "What an IQ error means to a sender".
#include "component/protocol/error_table.hpp"

#include <catch2/catch.hpp>

using namespace component;
using Kind = Failure::Kind;

namespace {

StanzaError error(const char* condition, const char* ours = "") {
    StanzaError error;
    error.type = "wait";
    error.condition = condition;
    error.ours = ours;
    return error;
}

NoAnswer none(base::Errc code, bool written) {
    return {base::fail(code, "nobody spoke"), written};
}

}  // namespace

// RFC 6120 8.3.2, RFC 6120 8.3.3, RFC 6120 8.3.4.
TEST_CASE("What an error means, by its condition and by our own element in it") {
    const auto [condition, ours, kind, split] =
        GENERATE(table<const char*, const char*, Kind, bool>({
            {"resource-constraint", "busy", Kind::busy, false},
            {"resource-constraint", "", Kind::too_much, true},
            {"policy-violation", "", Kind::too_much, true},
            {"forbidden", "domain-not-authorized", Kind::not_authorised, true},
            {"forbidden", "", Kind::refused, true},
            {"bad-request", "malformed", Kind::malformed, true},
            {"bad-request", "", Kind::refused, true},
            {"conflict", "id-reuse", Kind::id_reuse, true},
            {"conflict", "", Kind::refused, true},
            {"item-not-found", "unknown-transfer", Kind::not_open, false},
            {"item-not-found", "", Kind::silence, false},
            {"unexpected-request", "", Kind::refused, true},
            {"service-unavailable", "", Kind::not_there, false},
            {"feature-not-implemented", "", Kind::not_there, false},
            {"remote-server-not-found", "", Kind::silence, false},
            {"remote-server-timeout", "", Kind::silence, false},
            {"recipient-unavailable", "", Kind::silence, false},
            {"internal-server-error", "", Kind::silence, false},
            {"gone", "", Kind::silence, false},
            {"redirect", "", Kind::silence, false},
            {"something-new", "", Kind::refused, true},
        }));
    CAPTURE(condition, ours);
    const Failure failure = classify(IqReply(error(condition, ours)));
    CHECK(failure.kind == kind);
    CHECK(failure.split_batch == split);
    CHECK(failure.reply.is_transient());
    CHECK(failure.is_unheard() == (kind == Kind::silence || kind == Kind::not_there));
    CHECK(is_word_of_peer(IqReply(error(condition, ours))) == (*ours != '\0'));
}

TEST_CASE("An offset that the peer does not name is none to go on from") {
    StanzaError bad = error("unexpected-request", "bad-offset");
    CHECK(classify(IqReply(bad)).kind == Kind::refused);
    bad.offset = 77;
    CHECK(classify(IqReply(bad)).kind == Kind::bad_offset);
    CHECK(classify(IqReply(bad)).offset == 77);
}

TEST_CASE("Who is busy says for how long, and whether it is for the sender's domain") {
    StanzaError busy = error("resource-constraint", "busy");
    busy.retry_after = std::chrono::seconds(30);
    CHECK(classify(IqReply(busy)).retry_after == std::chrono::seconds(30));
    busy.cause = BusyCause::unverified;
    CHECK(classify(IqReply(busy)).kind == Kind::unverified);
    busy.cause = BusyCause::rate;
    CHECK(classify(IqReply(busy)).kind == Kind::beyond_rate);
    CHECK(classify(IqReply(busy)).split_batch);
    CHECK(classify(IqReply(busy)).retry_after == std::chrono::seconds(30));
    // It is no silence, which would hold all other mail.
    CHECK(classify(IqReply(busy)).reply.status == mail::EnhancedStatus{4, 7, 0});
}

TEST_CASE("What was not written has not left; nobody's answer is nobody's word") {
    using base::Errc;
    CHECK_FALSE(may_have_left(IqReply(none(Errc::busy, false))));
    CHECK(may_have_left(IqReply(none(Errc::timeout, true))));
    CHECK(may_have_left(IqReply(error("service-unavailable"))));
    CHECK_FALSE(is_word_of_peer(IqReply(none(Errc::timeout, true))));
    CHECK(is_word_of_peer(IqReply(Verdicts())));
    CHECK(classify(IqReply(none(Errc::timeout, true))).kind == Kind::silence);

    CHECK(is_unexplained(IqReply(none(Errc::timeout, true))));
    CHECK_FALSE(is_unexplained(IqReply(none(Errc::closed, true))));
    CHECK_FALSE(is_unexplained(IqReply(none(Errc::timeout, false))));
    CHECK(is_unexplained(IqReply(error("remote-server-timeout"))));
    CHECK_FALSE(is_unexplained(IqReply(error("bad-request", "malformed"))));
}
