// StandingCache: lines of the peer book that are at hand, so that a mail costs the book one
// statement, and no look. Storage thread.
//
// What it has is what the database has, the running transaction included: whoever changes a line
// has it forgotten if that is undone (Store::if_undone).
//
// Tested by tests/unit/queue/sqlite/store/standings_test.cpp.
#pragma once

#include "queue/peer_class.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace queue {

class StandingCache {
  public:
    struct Entry {
        bool has_row = false;
        PeerRecord past;         ///< of the days before today, and what was said by hand
        PeerFigures today{};     ///< and of today
        bool has_today = false;  ///< there is a row for today

        PeerRecord record() const {
            PeerRecord all = past;
            all.add(past.today(), today);
            return all;
        }
    };

    /// As of `today`; null if it is not at hand.
    Entry* find(const std::string& domain, std::chrono::sys_days today) {
        const auto found = entries_.find(domain);
        return found == entries_.end() || found->second.past.today() != today ? nullptr
                                                                              : &found->second;
    }
    /// Ends what find() has given.
    Entry& put(const std::string& domain, Entry entry) {
        if (entries_.size() >= kMost) entries_.clear();
        return entries_.insert_or_assign(domain, std::move(entry)).first->second;
    }
    void forget(const std::string& domain) { entries_.erase(domain); }
    void clear() {
        entries_.clear();
        rows.reset();
    }

    /// How many lines the book has, if that is known.
    std::optional<std::int64_t> rows{};

  private:
    static constexpr std::size_t kMost = 10'000;  // some megabytes; then it begins anew
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace queue
