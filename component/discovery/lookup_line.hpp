// LookupLine: who waits for a place among the look-ups that are under way.
//
// Mail of ours waits until there is one: that others are asked about first says nothing of its own
// peer. Nobody else waits: a sender comes again, and a hint can be done without. Event loop.
//
// Tested by tests/unit/component/discovery/discovery_test.cpp.
#pragma once

#include "base/async.hpp"
#include "component/discovery/lookup_shares.hpp"

#include <list>

namespace component {

class LookupLine {
  public:
    explicit LookupLine(base::asio::any_io_executor executor) : executor_(std::move(executor)) {}

    /// Returns with a place, which leave() has to give back; false: there is none.
    base::Task<bool> enter(LookupShares::Place place);
    void leave(const LookupShares::Place& place);

  private:
    struct Waiting {
        LookupShares::Place place;
        base::OneShot<bool> called;
    };
    void call(LookupShares::Cause cause);

    base::asio::any_io_executor executor_;
    LookupShares shares_;
    std::list<Waiting> waiting_;  ///< no more than destinations are tried at once, and requests of
                                  ///< an administrator
};

}  // namespace component
