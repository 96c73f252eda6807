// Receiving: one transfer at its receiver, as a state machine without I/O (protocol rules 2 to 4).
//
// Pure functions on what is known of a key; the store loads it before and writes it down after, in
// one transaction, so that what a step decides is true on the disk or not at all. The simulation in
// tests/simulation drives the same functions against a store in memory.
//
//              open            every piece is there, and the verdict is stored with the message
//    unknown --------> open ----------------------------------------------> done
//       |                |                                                    ^
//       | abort          | abort         a small transfer, all at once        |
//       +--> aborted <---+        unknown ------------------------------------+
#pragma once

#include "queue/ports.hpp"

namespace queue {

/// What a step has come to.
enum class Effect : std::uint8_t {
    changed,   ///< write it down
    same,      ///< nothing changes; the answer is what is known
    gap,       ///< the piece, or the end, does not follow what is there
    too_long,  ///< the piece goes beyond the announced size
    not_open,  ///< there is nothing that the piece could belong to
    conflict,  ///< the key belongs to another message, or to another peer
};

Effect open(KnownTransfer& known, const Opening& opening);
Effect add(KnownTransfer& known, const std::string& peer, std::uint64_t offset,
           std::uint64_t bytes);
/// The verdict: of a small transfer, or of an open one whose content is complete.
Effect finish(KnownTransfer& known, const ReceivedTransfer& transfer);
Effect call_back(KnownTransfer& known, const Recall& recall);

}  // namespace queue
