// BadPeers: the domains of the peer book whose class speaks against them (poor, limited, blocked),
// in memory, for who can't wait for the database.
//
// Read from the book in pages, every few minutes. Event loop, but for class_against(). What can't
// be read stays as it was.
//
// Tested by tests/unit/queue/peers/bad_peers_test.cpp.
#pragma once

#include "base/async.hpp"
#include "queue/ledger/questions.hpp"
#include "queue/peer_class.hpp"

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

    explicit BadPeers(Ask ask) : ask_(std::move(ask)) {}

    /// Reads all of the book, as of `today`.
    base::Task<void> read(std::chrono::sys_days today);
    /// None: nothing speaks against it. Any thread.
    PeerClass class_against(const mail::Domain& domain) const;

  private:
    struct Bad {
        PeerClass peer_class = PeerClass::none;
        bool for_all_below = false;  ///< an administrator has said so
    };
    using Known = std::map<std::string, Bad>;  ///< A-labels; no more than the book has lines

    Ask ask_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Known> known_ = std::make_shared<const Known>();
};

}  // namespace queue
