// Checkpointer: brings what the write-ahead log holds into the database's file, on a thread of its
// own.
//
// SQLite does that in the commit that makes the log too long, and all other requests wait for it:
// tens of milliseconds. Here that commit only asks for it, and a later one does the short rest, of
// what has come meanwhile, so that the log begins anew. Who reads an old snapshot puts that off, as
// ever (SQLite, "Write-Ahead Logging", 6).
#pragma once

#include "queue/sqlite/store/database.hpp"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

struct sqlite3;

namespace queue {

class Checkpointer {
  public:
    /// Of `database`, which has no other from now on, and is used on one thread.
    explicit Checkpointer(Database& database);
    ~Checkpointer();
    Checkpointer(const Checkpointer&) = delete;
    Checkpointer& operator=(const Checkpointer&) = delete;

  private:
    enum class State : std::uint8_t { idle, asked, rest };

    static int committed(void* self, sqlite3* connection, const char* name, int pages);
    void committed(int pages);
    void ask();
    void work();
    void bring_over();

    Database& database_;
    std::filesystem::path file_;
    std::atomic<State> state_ = State::idle;
    int due_at_;        ///< pages of the log; of the database's thread, as is the next
    int pages_ = 0;     ///< at the last commit
    std::mutex mutex_;  ///< of what follows
    std::condition_variable changed_;
    bool stopping_ = false;
    std::unique_ptr<SQLite::Database> connection_;  ///< of the thread
    std::thread thread_;
};

}  // namespace queue
