#include "queue/ports.hpp"

namespace queue {

base::Task<base::Result<Committed<Receipt>>> Intake::accept(Arrival arrival) {
    std::vector<Arrival> one;
    one.push_back(std::move(arrival));
    auto answers = co_await accept_all(std::move(one));
    co_return std::move(answers.front());
}

Outcome unreadable(const base::Error& why) {
    mail::Reply reply{451, {4, 3, 0}, why.text};
    if (why.code == base::Errc::damaged) return Held{std::move(reply), ""};
    return Deferred{std::move(reply), "", false, std::nullopt};
}

bool KnownTransfer::is_other(const std::string& its_peer,
                             const std::optional<mail::Sha256>& its_digest) const {
    if (state == State::unknown) return false;
    if (peer != its_peer) return true;
    // What was called back has no message: whatever comes under the key was called back, too.
    return state != State::aborted && its_digest && digest != *its_digest;
}

}  // namespace queue
