// ExpiringMap: what is kept for a time each, and never more of it than fits: what is out of date
// first makes room.
//
// Not for several threads at once. Keys are compared by `<`.
//
// Tested by tests/unit/base/expiring_map_test.cpp.
#pragma once

#include "base/clock.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <utility>

namespace base {

template <class Key, class Value>
class ExpiringMap {
  public:
    /// `most`: at least one.
    explicit ExpiringMap(std::size_t most) : most_(most) {}

    /// Null: it is not there, or not any more. Good until the next change.
    const Value* find(const Key& key, SteadyPoint now) const {
        const auto found = kept_.find(key);
        return found == kept_.end() || now >= found->second.until ? nullptr : &found->second.value;
    }
    /// In place of what was kept for `key`.
    void put(const Key& key, Value value, SteadyPoint until) {
        forget(key);
        if (kept_.size() == most_) forget(Key(by_end_.begin()->second));
        by_end_.emplace(until, key);
        kept_.emplace(key, Kept{std::move(value), until});
    }
    void forget(const Key& key) {
        const auto found = kept_.find(key);
        if (found == kept_.end()) return;
        by_end_.erase({found->second.until, key});
        kept_.erase(found);
    }
    std::size_t size() const { return kept_.size(); }

  private:
    struct Kept {
        Value value;
        SteadyPoint until;
    };
    std::size_t most_;
    std::map<Key, Kept> kept_;
    std::set<std::pair<SteadyPoint, Key>> by_end_;  ///< of kept_
};

}  // namespace base
