// A SqliteLedger into whose store tests look, or reach, on the storage thread.
#pragma once

#include "queue/ledger/storage_thread.hpp"
#include "queue/sqlite/sqlite_ledger.hpp"
#include "support/fakes.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace support {

using queue::operator""_sql;

/// What is to be done with the store, each in a transaction of its own.
class Looks {
  public:
    using Look = std::function<void(queue::Store&)>;

    void add(Look look) {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(look));
    }
    void take_all(queue::Store& store) {
        for (;;) {
            Look look;
            {
                const std::lock_guard lock(mutex_);
                if (waiting_.empty()) return;
                look = std::move(waiting_.front());
                waiting_.pop_front();
            }
            try {
                store.database().execute("BEGIN IMMEDIATE"_sql);
                look(store);
                store.database().execute("COMMIT"_sql);
                store.run_actions();
            } catch (const SQLite::Exception&) {
                // On a disk that is broken on purpose: nothing was seen.
                store.drop_actions(0);
                try {
                    if (store.database().in_transaction()) store.database().execute("ROLLBACK"_sql);
                } catch (const SQLite::Exception&) {
                }
            }
        }
    }

  private:
    std::mutex mutex_;
    std::deque<Look> waiting_;
};

class LookingLedger final : public queue::Ledger {
  public:
    LookingLedger(std::unique_ptr<queue::Store> store, std::shared_ptr<Looks> looks)
        : store_(*store), looks_(std::move(looks)), ledger_(std::move(store)) {}

    std::vector<base::Result<queue::Answer>> run(const Next& next) override {
        auto answers = ledger_.run(next);
        // Behind it: who has asked during the commit gets its answer after the look.
        looks_->take_all(store_);
        return answers;
    }
    const std::optional<base::Error>& damage() const override { return ledger_.damage(); }
    void release() override { ledger_.release(); }

  private:
    queue::Store& store_;  // the ledger's
    std::shared_ptr<Looks> looks_;
    queue::SqliteLedger ledger_;
};

/// Returns once all that was asked of `storage` before has been done.
inline void wait_for(boost::asio::io_context& io, queue::StorageThread& storage) {
    run<bool>(io, [&]() -> base::Task<bool> {
        const queue::LoadRetired nothing;
        const auto looked = co_await storage.read(nothing);
        co_return looked.has_value();
    });
}

/// Does it, behind what was asked for before, and waits for that. False if it has thrown.
inline bool look(boost::asio::io_context& io, queue::StorageThread& storage, Looks& looks,
                 const Looks::Look& what) {
    bool done = false;
    wait_for(io, storage);
    looks.add([&](queue::Store& store) {
        what(store);
        done = true;
    });
    wait_for(io, storage);
    return done;
}

}  // namespace support
