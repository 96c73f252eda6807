// Sending: one transfer at its sender, as a state machine without I/O (protocol rules 1 to 4).
//
// It says what to ask of the peer next, is told each answer, and ends with what is certain then. It
// keeps the fence: once anything of the transfer may be at the peer, only a verdict, or an abort
// that the peer has confirmed, lets the message go another way. CourierRound drives it over a link,
// and the simulation in tests/simulation over a network of its own. Plain values; no time, no
// bytes.
//
//    whole ---------------------------------------------+
//    open -> chunk, chunk, chunk .. -> commit ----------+--> decided, or conflict
//      ^       |  (another offset: on from there)       |
//      +-------+  (not open any more: open again)       +--> unclear: the same id again, later
//    abort ---------------------------------------------+--> called back: free to go
//    status --------------------------------------------+
#pragma once

#include "component/protocol/failure.hpp"
#include "component/protocol/transfer.hpp"

#include <cstdint>
#include <optional>

namespace component {

class Sending {
  public:
    enum class Goal : std::uint8_t {
        deliver,
        learn,      ///< its time is over: what became of it?
        call_back,  ///< it is to go another way
    };
    enum class Ask : std::uint8_t { whole, open, chunk, commit, status, abort };
    struct Request {
        Ask ask = Ask::whole;
        std::uint64_t offset = 0;  ///< chunk
        std::size_t size = 0;      ///< chunk
        std::uint32_t round = 0;   ///< answers to what was asked before the last rewind are late
    };

    enum class End : std::uint8_t {
        decided,       ///< verdict() settles each recipient
        called_back,   ///< nothing of it was taken, or ever will be
        never_stored,  ///< the same, as nothing of it ever arrived
        unclear,       ///< the same transfer again, later
        conflict,      ///< the peer knows the key with another message: nothing of it is certain
    };

    /// `sent_before`: something of it may be at the peer already.
    Sending(Goal goal, bool sent_before, std::uint64_t size)
        : goal_(goal), fenced_(sent_before), size_(size) {}

    /// Its content is to go in pieces. Before the first next().
    void in_pieces() { whole_ = false; }
    /// It is still to be sent, in one piece.
    bool goes_whole() const {
        return whole_ && goal_ == Goal::deliver && phase_ == Phase::start && !end_;
    }
    /// What to ask next; the chunk has at most `block` bytes. Nothing: wait for an answer, or the
    /// end.
    std::optional<Request> next(std::size_t block);

    /// `verdict` is on this key; one that is done has exactly the transfer's recipients.
    void on_verdict(const Request& request, const Verdict& verdict);
    void on_ack(const Request& request, std::uint64_t offset);
    /// `left`: the request may have reached the peer.
    void on_failure(const Request& request, const Failure& failure, bool left);
    /// It is to go another way, or under another id: what may have left of it is called back first.
    void call_back(const Failure& why);
    /// It failed together with others: the same again, alone.
    void try_again();
    /// Nothing more is asked of the peer, for a reason of our own.
    void give_up(const Failure& failure);
    /// What failure() is to say, as more is known of it. After it has ended.
    void explain(const Failure& failure);

    /// It has ended, and no answer is awaited any more.
    bool ended() const { return end_.has_value() && unanswered_ == 0; }
    End end() const { return end_.value_or(End::unclear); }
    const Verdict& verdict() const { return *verdict_; }  ///< if it is decided
    const Failure& failure() const { return failure_; }   ///< unless it is decided
    /// False only if it is certain that nothing of it arrived in this attempt.
    bool may_have_left() const { return left_; }
    bool is_fenced() const { return fenced_; }
    /// Whether something of it is at the peer does not depend on an answer that is awaited.
    bool is_certain() const { return fenced_ || unanswered_ == 0; }

  private:
    enum class Phase : std::uint8_t { start, waiting, sending };

    Request request(Ask ask, std::uint64_t offset = 0, std::size_t size = 0);
    void rewind(std::uint64_t offset, const Failure& why);
    std::optional<Request> next_chunk(std::size_t block);
    void fail(const Failure& failure);
    void finish(End end, const Failure& failure);

    Goal goal_;
    bool whole_ = true;
    bool fenced_;
    bool left_ = false;
    std::uint64_t size_;
    Phase phase_ = Phase::start;
    std::uint64_t next_ = 0;  ///< the first byte that is not on its way
    std::uint64_t acknowledged_ = 0;
    std::uint64_t furthest_ = 0;  ///< the first byte that was not sent in this attempt ...
    std::uint64_t repeated_ = 0;  ///< ... and how many before it were sent more than once
    std::size_t window_ = 0;      ///< bytes that the peer takes without an answer
    std::uint32_t round_ = 0;
    std::size_t rewinds_ = 0;
    std::size_t unanswered_ = 0;
    std::optional<End> end_;
    std::optional<Verdict> verdict_;
    Failure failure_;
};

}  // namespace component
