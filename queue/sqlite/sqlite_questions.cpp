#include "queue/sqlite/sqlite_questions.hpp"

#include "queue/sqlite/admin/backup.hpp"
#include "queue/sqlite/admin/history.hpp"
#include "queue/sqlite/admin/inspection.hpp"
#include "queue/sqlite/admin/verify.hpp"
#include "queue/sqlite/notify/taken_complaints.hpp"
#include "queue/sqlite/store/standings.hpp"

#include <utility>

namespace queue {
namespace {

/// An overload for each question.
class Answering {
  public:
    Answering(Database& database, const std::filesystem::path& directory)
        : database_(database), contents_(ContentFiles::existing(directory / "content")) {}

    auto operator()(const CountWaiting&) const { return health(database_); }
    auto operator()(const ListQueue& asked) const {
        return list(database_, asked.selection, asked.after, asked.most);
    }
    auto operator()(const GoOnSearching& asked) const {
        Search search = asked.search;
        go_on(database_, asked.name, search);
        return search;
    }
    auto operator()(const Trace& asked) const { return trace(database_, asked.ids); }
    auto operator()(const Verify&) const { return verify(database_, {&contents_, nullptr, true}); }
    auto operator()(const ListStandings& asked) const {
        return list_standings(database_, asked.today, asked.after, asked.most);
    }
    auto operator()(const FindStanding& asked) const {
        return find_standing(database_, asked.today, asked.domain);
    }
    auto operator()(const ListComplaints& asked) const {
        return list_complaints(database_, asked.today, asked.most);
    }
    auto operator()(const WriteBackup& asked) const {
        return write_backup(database_, contents_, asked.file);
    }

  private:
    Database& database_;
    ContentFiles contents_;
};

}  // namespace

base::Result<Reply> SqliteQuestions::look(const Question& question) {
    const Answering answering(*database_, directory_);
    const auto one = [&]<class Asked>(const Asked& asked) -> base::Result<Reply> {
        base::Result<typename Asked::Reply> found = answering(asked);
        if (!found) return found.error();
        return Reply(std::in_place_type<typename Asked::Reply>, std::move(*found));
    };
    return std::visit(one, question);
}

base::Result<Reply> SqliteQuestions::answer(const Question& question) {
    try {
        if (!database_) {
            auto opened = Database::open_for_reading(directory_ / "queue.db");
            if (!opened) return opened.error();
            database_ = std::move(*opened);
        }
        // One snapshot for all that a question looks at.
        database_->execute("BEGIN"_sql);
        base::Result<Reply> reply = look(question);
        database_->execute("COMMIT"_sql);
        return reply;
    } catch (const std::exception& error) {
        // It only looks: whatever went wrong, the queue is as it was, and the daemon goes on.
        database_.reset();
        return base::fail(base::Errc::storage, error.what());
    }
}

}  // namespace queue
