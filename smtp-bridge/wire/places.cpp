#include "smtp-bridge/wire/places.hpp"

#include <algorithm>
#include <tuple>

namespace smtp_bridge {
namespace {
constexpr auto kNews = std::chrono::minutes(1);
}  // namespace

/// Of one client, or (nullptr) of all; those at work only if there is nobody else.
Guest* Places::longest_silent(const std::string* client, TimePoint now) const {
    Guest* found = nullptr;
    std::tuple<bool, TimePoint> best;
    for (Guest* const guest : guests_) {
        const auto since = guest->silent_since();
        if (!since || (client != nullptr && guest->client() != *client)) continue;
        const bool at_work = guest->is_at_work();
        if (at_work && now - *since < patience_) continue;
        const std::tuple rank(at_work, *since);
        if (found != nullptr && rank >= best) continue;
        found = guest;
        best = rank;
    }
    return found;
}

Places::Room Places::make_room(const std::string& client, std::size_t most_of_client,
                               TimePoint now) {
    const auto of_client = std::ranges::count_if(
        guests_, [&](const Guest* guest) { return guest->client() == client; });
    const bool client_is_full = static_cast<std::size_t>(of_client) >= most_of_client;
    if (!client_is_full && guests_.size() < most_) return Room::free;
    Guest* const guest = longest_silent(client_is_full ? &client : nullptr, now);
    if (guest == nullptr) return Room::none;
    // It counts no more, though it may take a moment until it is gone.
    guests_.erase(guest);
    guest->send_away();
    return Room::made;
}

bool Places::is_news(TimePoint now) {
    if (told_ && now - *told_ < kNews) return false;
    told_ = now;
    return true;
}

}  // namespace smtp_bridge
