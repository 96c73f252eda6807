// NextHops: the servers that take the mail of one destination, the best first, each with its pool.
//
// On the event loop. One that can't be reached is passed over for a few seconds, and its mail goes
// to the next; only when none can be reached does mail wait.
#pragma once

#include "smtp-bridge/pool.hpp"

#include <memory>
#include <string>
#include <vector>

namespace smtp_bridge {

class NextHops {
  public:
    /// `targets`: at least one.
    NextHops(const asio::any_io_executor& executor, const std::vector<Target>& targets,
             const ClientSettings& client);

    /// Pool::take of the first that can be reached; else the last one's refusal.
    base::Task<std::variant<Pool::Lease, mail::Reply>> take(Pool::Want want,
                                                            std::optional<Pool::TimePoint> until);
    /// Set if a moment ago none could be reached.
    std::optional<mail::Reply> recent_failure() const;
    /// For logs and answers: `smtp:127.0.0.1:2526`, with commas between several.
    const std::string& name() const { return name_; }
    base::Task<void> stop();

  private:
    std::vector<std::unique_ptr<Pool>> pools_;
    std::string name_;
};

}  // namespace smtp_bridge
