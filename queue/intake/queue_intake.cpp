#include "queue/intake/queue_intake.hpp"

#include "base/limits.hpp"
#include "base/task_group.hpp"
#include "queue/intake/queue_spool.hpp"
#include "queue/log.hpp"

namespace queue {

QueueIntake::QueueIntake(StorageThread& storage, std::function<void(const Destination&)> arrived)
    : storage_(&storage, [](StorageThread*) {}), arrived_(std::move(arrived)) {}

base::Task<std::vector<base::Result<Committed<Receipt>>>> QueueIntake::accept_all(
    std::vector<Arrival> arrivals) {
    std::vector<std::optional<Answer>> found(arrivals.size());
    const std::function<base::Task<void>(std::size_t)> accept =
        [&](std::size_t i) -> base::Task<void> {
        auto arrival = std::make_shared<Arrival>(std::move(arrivals[i]));
        Answer answer = co_await accept_one(std::move(arrival));
        found[i].emplace(std::move(answer));
    };
    // All at once, so that they share a commit.
    const std::size_t count = found.size();
    co_await base::for_each(count, count, accept);
    std::vector<Answer> answers;
    answers.reserve(count);
    for (auto& answer : found)
        answers.push_back(std::move(*answer));
    co_return answers;
}

base::Task<QueueIntake::Answer> QueueIntake::accept_one(std::shared_ptr<Arrival> arrival) {
    // What is in a file takes no memory, and a commit only has to name it.
    const std::size_t size = arrival->file ? 0 : arrival->content.size();
    if (bytes_ > 0 && bytes_ + size > base::limits::kIntakeBytes)
        co_return base::fail(base::Errc::busy, "too much mail is being stored just now");
    bytes_ += size;
    std::function<void()> meanwhile = [this, arrival] {
        // Whatever is unfit for its way is looked at when it has another one.
        if (arrival->unfit) return;
        for (const Destination& destination : arrival->destinations)
            arrived_(destination);
    };
    Accept accept{arrival};
    auto answer = co_await storage_->write(std::move(accept), size, std::move(meanwhile));
    bytes_ -= size;
    if (answer && (*answer)->id && !(*answer)->earlier) log::accepted(*(*answer)->id, *arrival);
    if (answer && arrival->unfit) {
        for (const Destination& destination : arrival->destinations)
            arrived_(destination);
        for (const Destination& destination : (*answer)->rerouted)
            arrived_(destination);
    }
    co_return answer;
}

base::Task<base::Result<std::shared_ptr<Spool>>> QueueIntake::spool() {
    return QueueSpool::open(storage_);
}

}  // namespace queue
