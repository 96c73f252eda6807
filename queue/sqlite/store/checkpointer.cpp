#include "queue/sqlite/store/checkpointer.hpp"

#include "base/thread_name.hpp"
#include "queue/log.hpp"

#include <sqlite3.h>

namespace queue {
namespace {

/// Brings over what no reader still needs, and waits for nobody.
void checkpoint(sqlite3* connection) {
    const int done =
        sqlite3_wal_checkpoint_v2(connection, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    // Nothing is lost: what was committed is in the log, and the next one tries again.
    if (done != SQLITE_OK && done != SQLITE_BUSY)
        log::storage_failed("checkpoint", sqlite3_errmsg(connection));
}

}  // namespace

Checkpointer::Checkpointer(Database& database)
    : database_(database),
      file_(database.connection().getFilename()),
      due_at_(kCheckpointPages),
      thread_([this] { work(); }) {
    sqlite3_wal_hook(database.connection().getHandle(), &Checkpointer::committed, this);
}

Checkpointer::~Checkpointer() {
    sqlite3_wal_autocheckpoint(database_.connection().getHandle(), kCheckpointPages);
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

int Checkpointer::committed(void* self, sqlite3* /*connection*/, const char* /*name*/, int pages) {
    static_cast<Checkpointer*>(self)->committed(pages);
    return SQLITE_OK;
}

void Checkpointer::committed(int pages) {
    if (state_ == State::rest) {
        checkpoint(database_.connection().getHandle());
        due_at_ = pages + kCheckpointPages;
        state_ = State::idle;
    }
    const bool is_new = pages < pages_;
    pages_ = pages;
    if (is_new) due_at_ = kCheckpointPages;
    if (state_ == State::idle && pages >= due_at_) ask();
}

void Checkpointer::ask() {
    {
        const std::lock_guard lock(mutex_);
        state_ = State::asked;
    }
    changed_.notify_one();
}

void Checkpointer::work() {
    base::name_thread("checkpoint");
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stopping_ || state_ == State::asked; });
            if (stopping_) return;
        }
        bring_over();
        state_ = State::rest;
    }
}

void Checkpointer::bring_over() {
    try {
        if (!connection_) {
            connection_ = std::make_unique<SQLite::Database>(
                file_.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX);
            // Before it has read anything it knows of no log, and a checkpoint does nothing.
            connection_->execAndGet("PRAGMA schema_version");
        }
        checkpoint(connection_->getHandle());
    } catch (const SQLite::Exception& error) {
        log::storage_failed("checkpoint", error.what());
    }
}

}  // namespace queue
