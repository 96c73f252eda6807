// LinkLimit: how many links to a next hop may be open: what we want, or what the server was found
// to take.
//
// Pure but for the time that it is told. What was learned is doubted after a while, one link at a
// time: a refused one costs nothing but a look.
#pragma once

#include <chrono>
#include <cstddef>

namespace smtp_bridge {

class LinkLimit {
  public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// `wanted`: at least 1.
    explicit LinkLimit(std::size_t wanted) : wanted_(wanted), learned_(wanted) {}

    /// One or more.
    std::size_t most(TimePoint now) const;
    /// A further link was refused while `open` were open. False if that was known.
    bool refused(std::size_t open, TimePoint now);
    /// Nothing is known any more: it was not a matter of how many there are.
    void forget() { learned_ = known_ = wanted_; }

  private:
    std::size_t wanted_;
    std::size_t learned_;
    std::size_t known_ = wanted_;  ///< the least that was learned
    TimePoint at_;
};

}  // namespace smtp_bridge
