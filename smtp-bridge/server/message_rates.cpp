#include "smtp-bridge/server/message_rates.hpp"

#include <algorithm>

namespace smtp_bridge {
namespace {
constexpr std::size_t kClients = 10'000;
constexpr auto kMinute = std::chrono::seconds(60);
}  // namespace

bool MessageRates::sends(const std::string& client, std::size_t a_minute, TimePoint now) {
    make_room(now);
    auto& entry = clients_[client];
    const auto most = static_cast<double>(a_minute);
    if (entry.counted == TimePoint()) entry.mails = most;
    const std::chrono::duration<double> since = now - entry.counted;
    if (entry.counted != TimePoint()) entry.mails += most * since.count() / kMinute.count();
    entry.mails = std::min(entry.mails, most);
    entry.counted = now;
    if (entry.mails < 1) return false;
    entry.mails -= 1;
    return true;
}

/// Those who are gone for a minute have their whole minute again, as strangers have.
void MessageRates::make_room(TimePoint now) {
    if (clients_.size() < kClients) return;
    std::erase_if(clients_, [&](const auto& item) { return now - item.second.counted >= kMinute; });
}

}  // namespace smtp_bridge
