// OffSwitch: whether our mail goes by SMTP instead of over XMPP (`packetboat off`), kept on the
// store's disk, and when that ends by itself.
//
// Event loop; Errc::storage where the disk fails. Its end is a time of the wall clock, so that it
// outlives a restart; but a clock that jumps neither ends it early nor keeps it off for longer than
// was said, counted from the last start at the latest.
//
// Tested by tests/unit/queue/peers/off_switch_test.cpp.
#pragma once

#include "base/clock_trust.hpp"
#include "queue/ledger/off.hpp"
#include "queue/ledger/storage_thread.hpp"

#include <chrono>
#include <optional>

namespace queue {

class OffSwitch {
  public:
    /// All outlive it.
    OffSwitch(StorageThread& storage, const base::Clock& clock, base::ClockTrust& trust)
        : storage_(storage), clock_(clock), trust_(trust) {}

    /// What the last process has left.
    base::Task<base::Result<void>> load();
    /// Off, until then, or until turn_on(); if it is off already, only its end changes. `until` is
    /// to come.
    base::Task<base::Result<void>> turn_off(std::optional<base::TimePoint> until);
    base::Task<base::Result<void>> turn_on();

    const std::optional<Off>& off() const { return off_; }
    /// Its time has come: it is to be turned on.
    bool is_over() const;
    /// How long it is off at the longest; nothing: it has no end.
    std::optional<std::chrono::milliseconds> left() const;

  private:
    base::Task<base::Result<void>> keep(std::optional<Off> off);
    /// Its end is `left` from now at the latest.
    void end_in(std::chrono::milliseconds left) { ends_at_ = clock_.steady() + left; }

    StorageThread& storage_;
    const base::Clock& clock_;
    base::ClockTrust& trust_;
    std::optional<Off> off_;
    base::SteadyPoint ends_at_{};  ///< if it has an end
};

}  // namespace queue
