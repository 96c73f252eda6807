// BadPeers: which domains have a class that speaks against them (poor, limited, blocked), by the
// peer book and by lists (queue/peer_lists), in memory, for who can't wait for the database.
//
// What counts is read from the book in pages, every few minutes. Event loop, but for
// class_against(). What can't be read stays as it was.
//
// Tested by tests/unit/queue/peers/bad_peers_test.cpp.
#pragma once

#include "base/async.hpp"
#include "queue/ledger/questions.hpp"
#include "queue/peer_class.hpp"
#include "queue/peer_lists.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace queue {

class BadPeers {
  public:
    using Page = base::Result<std::vector<Standing>>;
    /// A page of the book: Reader::ask().
    using Ask = std::function<base::Task<Page>(ListStandings)>;

    /// `lists` has to outlive it.
    BadPeers(const PeerLists& lists, Ask ask) : lists_(lists), ask_(std::move(ask)) {}

    /// Reads all of the book, as of `today`.
    base::Task<void> read(std::chrono::sys_days today);
    /// None: nothing speaks against it. Any thread.
    PeerClass class_against(const mail::Domain& domain) const;

  private:
    /// Of bad figures, or of a class by hand, whatever that is: it counts before what lists say.
    /// A-labels; no more than the book has lines.
    using Known = std::map<std::string, PeerRecord>;

    const PeerLists& lists_;
    Ask ask_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Known> known_ = std::make_shared<const Known>();
};

}  // namespace queue
