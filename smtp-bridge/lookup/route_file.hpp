// RouteFile: the domains that take mail over XMPP as an LMDB table, which Postfix reads without us
// (lmdb_table(5)), so that a dead Packetboat costs no other mail anything.
//
// Written on a thread of its own, in transactions, under the lock that Postfix takes for reading. A
// change that can't be written is logged, and tried again with the next one, or after a while.
#pragma once

#include "base/result.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace smtp_bridge {

class RouteFile {
  public:
    /// A disk that was full may have room again by then.
    static constexpr std::chrono::milliseconds kRetryAfter{10'000};

    /// `file` ends in `.lmdb`. `answer`: the transport and next hop, which each domain gets.
    RouteFile(std::filesystem::path file, std::string answer,
              std::chrono::milliseconds retry_after = kRetryAfter);
    ~RouteFile();
    RouteFile(const RouteFile&) = delete;
    RouteFile& operator=(const RouteFile&) = delete;

    /// Makes the file anew, in place of what is there, damaged or not. It lists these (A-labels)
    /// and no others, by all of their lookup_keys(): at once, so that the error says what is wrong.
    /// Errc::io with the file in the text. A disk that is full or faulty is no error: what is there
    /// stays until a later try makes the file.
    base::Result<void> start(const std::set<std::string>& domains);
    /// `domain` (A-labels) is, or is not, to be listed. Any thread; returns at once.
    void set(const std::string& domain, bool listed);
    /// How often what had to be written could not be.
    std::size_t failures() const { return failures_; }
    /// Writes what is waiting, and ends the thread. The table stays.
    void stop();

  private:
    struct Environment;

    void work();
    /// 0, or what mdb_strerror knows; both.
    int write(const std::map<std::string, bool>& changes);
    int replace(const std::map<std::string, bool>& listed);

    void note_failure(int status);

    std::filesystem::path file_;
    std::string answer_;
    std::chrono::milliseconds retry_after_;
    std::unique_ptr<Environment> environment_;  ///< null until the file is made
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, bool> pending_;  ///< guarded; at most limits::kKnownDomains
    bool stopping_ = false;                ///< guarded
    std::atomic<std::size_t> failures_ = 0;
    std::thread thread_;
};

}  // namespace smtp_bridge
