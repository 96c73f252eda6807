#include "component/protocol/sending.hpp"

#include <algorithm>

namespace component {
namespace {

using Kind = Failure::Kind;

// How often one attempt goes back: a peer that asks for more is given a rest, and a later attempt
// goes on where this one ended.
constexpr std::size_t kRewinds = 20;
// Bytes that one attempt sends again: all of the content once, and of a small one somewhat more. A
// link that breaks costs a window, and a receiver that has forgotten everything what it had.
constexpr std::uint64_t kRepeated = 1u << 20;
constexpr std::size_t kLeastWindow = 4096;  // bytes; with less, a message would never end
constexpr auto kCommittingWait = std::chrono::seconds(30);  // while the peer decides

/// An answer that makes no sense says nothing of the transfer.
Failure nonsense(const char* why) {
    Failure failure;
    failure.reply = {451, {4, 5, 0}, why};
    return failure;
}

}  // namespace

Sending::Request Sending::request(Ask ask, std::uint64_t offset, std::size_t size) {
    ++unanswered_;
    return {ask, offset, size, round_};
}

std::optional<Sending::Request> Sending::next(std::size_t block) {
    if (end_) return std::nullopt;
    if (phase_ == Phase::start) {
        phase_ = Phase::waiting;
        if (goal_ == Goal::call_back) return request(Ask::abort);
        if (goal_ == Goal::learn) return request(Ask::status);
        return request(whole_ ? Ask::whole : Ask::open);
    }
    if (phase_ == Phase::waiting) return std::nullopt;
    if (next_ == size_) {
        phase_ = Phase::waiting;
        return request(Ask::commit);
    }
    return next_chunk(block);
}

std::optional<Sending::Request> Sending::next_chunk(std::size_t block) {
    const std::uint64_t under_way = next_ - acknowledged_;
    const std::uint64_t size =
        std::min<std::uint64_t>({block, size_ - next_, std::max<std::size_t>(window_, 1)});
    if (under_way > 0 && under_way + size > window_) return std::nullopt;
    const std::uint64_t end = next_ + size;
    repeated_ += std::min(end, furthest_) - std::min(next_, furthest_);
    if (repeated_ > std::max(size_, kRepeated)) {
        finish(End::unclear, nonsense("the peer asks for the same octets again and again"));
        return std::nullopt;
    }
    furthest_ = std::max(furthest_, end);
    const Request chunk = request(Ask::chunk, next_, static_cast<std::size_t>(size));
    next_ = end;
    return chunk;
}

void Sending::on_verdict(const Request& asked, const Verdict& verdict) {
    using State = Verdict::State;
    --unanswered_;
    // To look does not move anything; all else may have been stored.
    if (asked.ask != Ask::status) left_ = true;
    if (verdict.state != State::aborted && verdict.state != State::unknown) fenced_ = true;
    if (end_ && *end_ == End::decided) return;
    if (verdict.state == State::done) {
        // A verdict counts, whenever it comes.
        verdict_ = verdict;
        end_ = End::decided;
        return;
    }
    if (end_) return;
    if (verdict.state == State::aborted) return finish(End::called_back, failure_);
    if (verdict.state == State::committing) {
        Failure later = nonsense("the peer is still deciding");
        later.retry_after = kCommittingWait;
        return finish(End::unclear, later);
    }
    if (asked.round != round_) return;
    if (asked.ask == Ask::open && verdict.state == State::open) {
        if (verdict.offset > size_) return fail(nonsense("the peer has more than there is"));
        if (verdict.window < kLeastWindow) return fail(nonsense("the peer's window is too small"));
        next_ = acknowledged_ = verdict.offset;
        window_ = verdict.window;
        phase_ = Phase::sending;
        return;
    }
    // Its time is over, and nothing of it was taken so far: nothing shall be.
    if (asked.ask == Ask::status) return call_back(nonsense("its time is over"));
    fail(nonsense("the peer's answer decides nothing"));
}

void Sending::on_ack(const Request& asked, std::uint64_t offset) {
    --unanswered_;
    left_ = fenced_ = true;
    if (end_ || asked.round != round_) return;
    if (asked.ask != Ask::chunk || offset > size_)
        return fail(nonsense("the peer acknowledges what was not sent"));
    // Less than the chunk's end: it did not take it.
    if (offset < asked.offset + asked.size)
        return rewind(offset, nonsense("the peer takes nothing"));
    acknowledged_ = std::max(acknowledged_, std::min(offset, next_));
}

void Sending::on_failure(const Request& asked, const Failure& failure, bool left) {
    --unanswered_;
    // Even the peer's own word that it stored nothing is on this copy only: a server may have sent
    // the stanza twice, and the other copy may still come.
    if (left && asked.ask != Ask::status) left_ = fenced_ = true;
    if (end_ || asked.round != round_) return;
    if (asked.ask == Ask::chunk || asked.ask == Ask::commit) {
        if (failure.kind == Kind::bad_offset) return rewind(failure.offset, failure);
        if (failure.kind == Kind::too_much && asked.ask == Ask::chunk)
            return rewind(asked.offset, failure);
        if (failure.kind == Kind::not_open) {
            rewind(0, failure);
            phase_ = Phase::start;
            return;
        }
    }
    fail(failure);
}

void Sending::give_up(const Failure& failure) {
    if (!end_) finish(fenced_ ? End::unclear : End::never_stored, failure);
}

void Sending::explain(const Failure& failure) {
    if (end_ == End::unclear || end_ == End::never_stored) failure_ = failure;
}

void Sending::try_again() {
    if (end_ == End::decided || end_ == End::called_back) return;
    end_.reset();
    phase_ = Phase::start;
    goal_ = Goal::deliver;
}

void Sending::rewind(std::uint64_t offset, const Failure& why) {
    if (offset > size_) return fail(nonsense("the peer has more than there is"));
    if (++rewinds_ > kRewinds) return finish(End::unclear, why);
    ++round_;
    next_ = acknowledged_ = offset;
    phase_ = Phase::sending;
}

void Sending::fail(const Failure& failure) {
    // To call it back would call the other message back, and its verdict is not this one's.
    if (failure.kind == Kind::id_reuse) return finish(End::conflict, failure);
    // What the peer won't take like this goes another way.
    const bool hopeless = failure.kind == Kind::not_authorised || failure.kind == Kind::malformed;
    if (goal_ == Goal::deliver && hopeless) return call_back(failure);
    finish(fenced_ ? End::unclear : End::never_stored, failure);
}

void Sending::call_back(const Failure& why) {
    if (end_) return;
    if (!fenced_) return finish(End::never_stored, why);
    goal_ = Goal::call_back;
    failure_ = why;
    ++round_;
    phase_ = Phase::start;
}

void Sending::finish(End end, const Failure& failure) {
    failure_ = failure;
    end_ = end;
}

}  // namespace component
