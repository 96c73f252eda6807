// SqliteQuestions: answers what people ask, on a read-only connection of its own.
//
// It sees a snapshot while the storage thread goes on writing. The reader's thread.
//
// Tested by tests/unit/queue/ledger/reader_test.cpp.
#pragma once

#include "queue/ledger/questions.hpp"
#include "queue/sqlite/store/database.hpp"

#include <filesystem>
#include <memory>

namespace queue {

class SqliteQuestions final : public Questions {
  public:
    /// Of the queue in `directory`, which is open for writing elsewhere in this process.
    explicit SqliteQuestions(std::filesystem::path directory) : directory_(std::move(directory)) {}

    base::Result<Reply> answer(const Question& question) override;

  private:
    base::Result<Reply> look(const Question& question);

    std::filesystem::path directory_;
    std::unique_ptr<Database> database_;  ///< opened by the first question
};

}  // namespace queue
