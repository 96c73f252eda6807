// SqliteLedger: the Ledger in a Store, which is a SQLite database and files beside it.
//
// A transaction of SQLite's, with a savepoint for each operation. What an operation leaves to be
// done beside the database (lines in the log, files) is done once it is on the disk, or undone with
// it. Storage thread; owns the Store.
#pragma once

#include "queue/ledger/ledger.hpp"
#include "queue/sqlite/store/checkpointer.hpp"
#include "queue/sqlite/store/store.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace queue {

class SqliteLedger final : public Ledger {
  public:
    explicit SqliteLedger(std::unique_ptr<Store> store);

    std::vector<base::Result<Answer>> run(const Next& next) override;
    const std::optional<base::Error>& damage() const override { return damage_; }
    void release() override;

  private:
    base::Result<Answer> run_one(const Operation& operation);
    void look_for_damage(const SQLite::Exception& error);

    std::unique_ptr<Store> store_;
    Checkpointer checkpointer_;
    std::optional<base::Error> damage_;
};

}  // namespace queue
