// SlowedSenders: who of ours waits before each mail to a domain that complains of them: one
// recipient, and then a pause (pause_after_complaints).
//
// What the ledger has of complaints, in memory, and when the next one may go, which a restart
// forgets. Bounded by what it is given. Event loop.
//
// Tested by tests/unit/queue/slowed_senders_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "queue/complaint.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace queue {

class SlowedSenders {
  public:
    /// Days with complaints that are known at once: more would only be slowed by themselves.
    static constexpr std::size_t kMost = 10'000;

    explicit SlowedSenders(const base::Clock& clock) : clock_(clock) {}

    /// These are slowed, and no others.
    void use(const std::vector<SenderComplaints>& all);
    /// What stands against one of them now.
    void note(const SenderComplaints& one);
    bool is_slowed(const std::string& sender, const std::string& domain) const;
    /// How long mail of `sender`, for so many recipients at `domain`, has to wait; zero: it goes
    /// now, and others wait behind it.
    std::chrono::milliseconds take_turn(const std::string& sender, const std::string& domain,
                                        std::size_t recipients);

  private:
    using Key = std::pair<std::string, std::string>;
    struct Entry {
        std::int64_t days = 0;
        base::SteadyPoint next{};
    };

    const base::Clock& clock_;
    std::map<Key, Entry> slowed_;
};

}  // namespace queue
