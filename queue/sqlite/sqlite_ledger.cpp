#include "queue/sqlite/sqlite_ledger.hpp"

#include "base/crash_point.hpp"
#include "queue/log.hpp"
#include "queue/sqlite/perform.hpp"
#include "queue/sqlite/store/damage.hpp"
#include "queue/sqlite/store/under_way.hpp"

#include <sqlite3.h>

namespace queue {

SqliteLedger::SqliteLedger(std::unique_ptr<Store> store)
    : store_(std::move(store)), checkpointer_(store_->database()) {}

void SqliteLedger::look_for_damage(const SQLite::Exception& error) {
    // What is passed over next time is no reason to end.
    if (dynamic_cast<const UnreadableMessage*>(&error) != nullptr) return;
    if (!is_damage(error) || damage_) return;
    store_->note_damage(error.what());
    damage_ = base::fail(base::Errc::damaged,
                         "the queue's database is damaged: " + std::string(error.what()));
}

/// What is under way still at a stop did not end the process.
void SqliteLedger::release() {
    try {
        release_leased(*store_);
    } catch (const SQLite::Exception& error) {
        log::storage_failed("stop", error.what());
    }
}

std::vector<base::Result<Answer>> SqliteLedger::run(const Next& next) {
    std::vector<base::Result<Answer>> answers;
    bool committing = false;
    try {
        store_->database().execute("BEGIN IMMEDIATE"_sql);
        while (const Operation* const operation = next())
            answers.push_back(run_one(*operation));
        base::crash_point("storage.before-commit");
        committing = true;
        store_->database().execute("COMMIT"_sql);
        base::crash_point("storage.committed");
    } catch (const SQLite::Exception& error) {
        log::storage_failed("commit", error.what());
        look_for_damage(error);
        // A commit that could not be synced may be found in the log all the same, at the next
        // start.
        committing ? store_->forget_actions() : store_->drop_actions(0);
        try {
            if (store_->database().in_transaction()) store_->database().execute("ROLLBACK"_sql);
        } catch (const SQLite::Exception& again) {
            log::storage_failed("rollback", again.what());
        }
        // And the one that has thrown.
        answers.assign(answers.size() + 1, base::fail(base::Errc::storage, error.what()));
        return answers;
    }
    store_->run_actions();
    return answers;
}

base::Result<Answer> SqliteLedger::run_one(const Operation& operation) {
    Database& database = store_->database();
    const std::size_t actions = store_->actions();
    const auto undo = [&] {
        store_->drop_actions(actions);
        database.execute("ROLLBACK TO request"_sql);
        database.execute("RELEASE request"_sql);
    };
    database.execute("SAVEPOINT request"_sql);
    try {
        base::Result<Answer> answer = perform(*store_, operation);
        if (answer) {
            database.execute("RELEASE request"_sql);
        } else {
            undo();
            if (answer.error().code == base::Errc::storage)
                log::storage_failed("request", answer.error().text);
        }
        return answer;
    } catch (const SQLite::Exception& error) {
        // After a full disk or an I/O error SQLite may have rolled back everything: then all have
        // failed. After damage it lets nothing be written before everything is.
        if (!database.in_transaction() || error.getErrorCode() == SQLITE_CORRUPT) throw;
        undo();
        log::storage_failed("request", error.what());
        return base::fail(base::Errc::storage, error.what());
    }
}

}  // namespace queue
