#include "queue/queue_intake.hpp"

#include "base/limits.hpp"
#include "queue/arrivals.hpp"
#include "queue/log.hpp"
#include "queue/verdicts.hpp"

namespace queue {

/// Collects the answers of one accept_all.
struct QueueIntake::Join {
    Join(const base::asio::any_io_executor& executor, std::size_t count) : done(executor), left(count) {
        answers.resize(count);
    }
    base::Signal done;
    std::size_t left;
    std::vector<std::optional<base::Result<Committed<Receipt>>>> answers;
};

QueueIntake::QueueIntake(StorageThread& storage, std::function<void(const Destination&)> arrived)
    : storage_(storage), arrived_(std::move(arrived)) {}

base::Task<std::vector<base::Result<Committed<Receipt>>>> QueueIntake::accept_all(std::vector<Arrival> arrivals) {
    const auto executor = co_await base::asio::this_coro::executor;
    auto join = std::make_shared<Join>(executor, arrivals.size());
    for (std::size_t place = 0; place < arrivals.size(); ++place) {
        auto arrival = std::make_shared<Arrival>(std::move(arrivals[place]));
        base::spawn(executor, "intake",
                    [this, arrival, place, join] { return accept_one(arrival, place, join); });
    }
    while (join->left > 0) {
        // A commit is never abandoned; the limit only makes the wait a bounded one, begun anew each time.
        co_await join->done.wait(std::chrono::minutes(1));
    }
    std::vector<base::Result<Committed<Receipt>>> answers;
    answers.reserve(join->answers.size());
    for (auto& answer : join->answers) answers.push_back(std::move(*answer));
    co_return answers;
}

base::Task<void> QueueIntake::accept_one(std::shared_ptr<Arrival> arrival, std::size_t place,
                                         std::shared_ptr<Join> join) {
    const std::size_t size = arrival->content.size();
    if (bytes_ > 0 && bytes_ + size > base::limits::kIntakeBytes) {
        join->answers[place].emplace(base::fail(base::Errc::busy, "too much mail is being stored just now"));
    } else {
        bytes_ += size;
        std::function<base::Result<Receipt>(Store&)> operation = [arrival](Store& store) {
            return add_arrival(store, *arrival);
        };
        auto answer = co_await storage_.write<Receipt>(std::move(operation), size);
        bytes_ -= size;
        if (answer && (*answer)->id && !(*answer)->earlier) {
            log::accepted(*(*answer)->id, *arrival);
            for (const Destination& destination : arrival->destinations) arrived_(destination);
        }
        join->answers[place].emplace(std::move(answer));
    }
    if (--join->left == 0) join->done.notify();
}

base::Task<base::Result<std::vector<std::optional<StoredVerdict>>>> QueueIntake::find_verdicts(
    std::vector<TransferKey> keys) {
    using Found = std::vector<std::optional<StoredVerdict>>;
    std::function<base::Result<Found>(Store&)> operation = [keys = std::move(keys)](Store& store) {
        Found found;
        for (const TransferKey& key : keys) found.push_back(find_verdict(store, key));
        return base::Result<Found>(std::move(found));
    };
    base::Result<Found> answer = co_await storage_.read<Found>(std::move(operation));
    co_return answer;
}

}  // namespace queue
