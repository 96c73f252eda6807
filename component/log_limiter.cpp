#include "component/log_limiter.hpp"

#include "mail/organisation.hpp"

namespace component {
namespace {

constexpr std::size_t kLongestPeer = 255;  // bytes that tell one from another; a domain has no more

/// Without parsing it as a JID: also what is none comes from somebody.
std::string organisation_of(std::string_view jid) {
    jid = jid.substr(0, jid.find('/'));
    const auto at = jid.find('@');
    if (at != std::string_view::npos) jid.remove_prefix(at + 1);
    return mail::Organisation::of(jid).name().substr(0, kLongestPeer);
}

}  // namespace

bool LogLimiter::is_quiet(const Count& count) const {
    return clock_.steady() >= count.logged + kQuiet;
}

std::optional<std::uint64_t> LogLimiter::admit(std::string_view peer, std::string_view kind) {
    Key key(organisation_of(peer), kind);
    auto found = counts_.find(key);
    if (found == counts_.end() && counts_.size() >= kRemembered) {
        key.first.clear();
        found = counts_.find(key);
    }
    if (found == counts_.end()) {
        counts_.emplace(std::move(key), Count{clock_.steady(), 0});
        return 0;
    }
    Count& count = found->second;
    if (!is_quiet(count)) {
        ++count.left_out;
        return std::nullopt;
    }
    count.logged = clock_.steady();
    return std::exchange(count.left_out, 0);
}

std::vector<LogLimiter::LeftOut> LogLimiter::take_left_out() {
    std::vector<LeftOut> all;
    for (auto at = counts_.begin(); at != counts_.end();) {
        Count& count = at->second;
        if (is_quiet(count) && count.left_out == 0) {
            at = counts_.erase(at);
            continue;
        }
        if (is_quiet(count)) {
            all.push_back({at->first.first, at->first.second, count.left_out});
            count = {clock_.steady(), 0};
        }
        ++at;
    }
    return all;
}

}  // namespace component
