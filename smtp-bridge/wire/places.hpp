// Places: the connections of a server that has room for so many, and who has to go when one more
// comes: the client that has been silent for longest.
//
// All programs of a host have one address, so that a bound by address would not keep one of them
// from locking the local mail server out. A client that is closed loses nothing: mail servers
// connect again. On the loop of its server; never fails.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace smtp_bridge {

/// A connection, as it is seen when there is no room for another one.
class Guest {
  public:
    virtual ~Guest() = default;
    virtual const std::string& client() const = 0;
    /// Since when we have waited for the client; nothing while it waits for us.
    virtual std::optional<std::chrono::steady_clock::time_point> silent_since() const = 0;
    /// There is a mail that would have to be sent again.
    virtual bool is_at_work() const = 0;
    /// Closes it at once.
    virtual void send_away() = 0;
};

class Places {
  public:
    using TimePoint = std::chrono::steady_clock::time_point;
    enum class Room : std::uint8_t { free, made, none };

    /// `patience`: how long a client at work may be silent when its place is needed.
    Places(std::size_t most, std::chrono::milliseconds patience)
        : most_(most), patience_(patience) {}

    /// Room for one more of `client`, which may have `most_of_client`; somebody is sent away for
    /// it if need be. None if all who could go are at work, or wait for us.
    Room make_room(const std::string& client, std::size_t most_of_client, TimePoint now);
    /// `guest` has to live until remove().
    void add(Guest& guest) { guests_.insert(&guest); }
    void remove(Guest& guest) { guests_.erase(&guest); }
    std::size_t most() const { return most_; }
    /// True once a minute: that somebody was sent away is worth a line in the log.
    bool is_news(TimePoint now);

  private:
    Guest* longest_silent(const std::string* client, TimePoint now) const;

    std::size_t most_;
    std::chrono::milliseconds patience_;
    std::set<Guest*> guests_;  ///< at most `most_`, and without those who were sent away
    std::optional<TimePoint> told_;
};

}  // namespace smtp_bridge
