#include "queue/peer_promise.hpp"

#include <algorithm>

namespace queue {

PromiseRead after_reading(const std::optional<PeerPromise>& known, const FormReading& reading,
                          base::TimePoint now, bool is_believed) {
    if (!reading.verified) return {known, PromiseNews::nothing};
    if (!reading.until) return {{}, known ? PromiseNews::withdrawn : PromiseNews::nothing};
    if (!is_believed) return {known, PromiseNews::nothing};
    const base::TimePoint until = std::min(*reading.until, now + kLongestPromise);
    if (until <= now) return {{}, known ? PromiseNews::withdrawn : PromiseNews::nothing};

    const bool goes_on = known && known->component == reading.component && now < known->until;
    if (!goes_on) {
        PeerPromise promise{reading.domain, reading.component, now, now, until};
        return {std::move(promise), PromiseNews::first};
    }
    PeerPromise promise = *known;
    promise.first_read = std::min(promise.first_read, now);
    promise.last_read = now;
    promise.until = until;
    promise.counts = known->counts || now - promise.first_read >= kPromiseProof;
    const bool is_new = promise.counts && !known->counts;
    return {std::move(promise), is_new ? PromiseNews::counts : PromiseNews::renewed};
}

std::optional<PeerPromise> after_clock_change(PeerPromise promise, base::TimePoint now) {
    if (!promise.counts) return std::nullopt;
    promise.first_read = std::min(promise.first_read, now);
    promise.last_read = std::min(promise.last_read, now);
    promise.until = std::min(promise.until, promise.last_read + kLongestPromise);
    return promise;
}

const char* to_text(PromiseFinding finding) {
    switch (finding) {
        case PromiseFinding::none:
            return "none";
        case PromiseFinding::confirmed:
            return "confirmed";
        case PromiseFinding::unconfirmed:
            return "unconfirmed";
    }
    return "none";
}

}  // namespace queue
