// Simulation: one sender and two receivers that exchange mail over a network which loses, repeats,
// reorders and delays, while they crash, forget, disagree on the time and change their minds.
//
// The real courier, receiver, parser and codecs of component/ on both sides, in virtual time, on
// disks in memory; everything that happens follows from the seed. At the end: nothing was lost,
// nothing came twice, nothing hangs. One thread.
#pragma once

#include <cstdint>
#include <string>

namespace simulation {

struct Report {
    std::string broken;  ///< the property that does not hold; empty if all do
    std::size_t messages = 0;
    std::size_t stanzas = 0;
    std::size_t crashes = 0;
    std::size_t opens = 0;
    // What became of the recipients:
    std::size_t delivered = 0;
    std::size_t by_smtp = 0;
    std::size_t failed = 0;
    std::size_t expired = 0;
    std::string history;  ///< what happened, if it was asked for
};

/// `tell`: the report has the history.
Report run(std::uint64_t seed, bool tell);

/// An hour in which hostile components ask one receiver for everything, in every order, and servers
/// that it asks itself do not answer; and half an hour of rest. What it then still holds has
/// outlived its reason.
Report abuse(std::uint64_t seed, bool tell);

}  // namespace simulation
