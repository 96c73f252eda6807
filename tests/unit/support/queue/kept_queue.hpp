// KeptQueue: a queue behind its ports, whatever keeps it: what the tests of the contract
// (model_test, five_days_test, ledger/contract_test) run against, once for each implementation.
#pragma once

#include "queue/sqlite/recovery/opening.hpp"
#include "queue/sqlite/sqlite_ledger.hpp"
#include "queue/sqlite/sqlite_questions.hpp"
#include "support/queue/fixture.hpp"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace support {

/// What keeps a queue in `settings.directory`, or another place that belongs to it.
struct Implementation {
    std::string name;
    std::function<std::unique_ptr<queue::Ledger>(const queue::StoreSettings& settings,
                                                 const base::Clock& clock, base::Random& random)>
        open;
    /// Of a queue that is open.
    std::function<std::unique_ptr<queue::Questions>(const queue::StoreSettings& settings)> ask;
};

inline std::vector<Implementation> implementations() {
    const auto open_sqlite = [](const queue::StoreSettings& settings, const base::Clock& clock,
                                base::Random& random) -> std::unique_ptr<queue::Ledger> {
        auto store = queue::open_queue(settings, a_test_router(), clock, random);
        if (!store) throw std::runtime_error(store.error().text);
        return std::make_unique<queue::SqliteLedger>(std::move(*store));
    };
    const auto ask_sqlite = [](const queue::StoreSettings& settings) {
        return std::make_unique<queue::SqliteQuestions>(settings.directory);
    };
    return {{"SQLite", open_sqlite, ask_sqlite}};
}

/// All of `operations` in one transaction.
inline std::vector<base::Result<queue::Answer>> run_all(
    queue::Ledger& ledger, const std::vector<queue::Operation>& operations) {
    std::size_t next = 0;
    return ledger.run([&]() -> const queue::Operation* {
        return next < operations.size() ? &operations[next++] : nullptr;
    });
}
/// In a transaction of its own.
template <class Op>
base::Result<typename Op::Answer> run_one(queue::Ledger& ledger, Op operation) {
    const auto answers = run_all(ledger, {std::move(operation)});
    if (answers.size() != 1) throw std::runtime_error("not one answer");
    if (!answers[0]) return answers[0].error();
    return std::get<typename Op::Answer>(*answers[0]);
}
inline queue::Accept accept(const queue::Arrival& mail) {
    return {std::make_shared<const queue::Arrival>(mail)};
}

class KeptQueue {
  public:
    explicit KeptQueue(Implementation by, queue::ComplaintSettings complaints = {})
        : by_(std::move(by)), complaints_(complaints) {
        start();
    }

    queue::Ledger& ledger() { return *ledger_; }
    /// What `operation` answers; throws if that is an error.
    template <class Op>
    typename Op::Answer run(Op operation) {
        return run_one(*ledger_, std::move(operation)).value();
    }
    template <class Q>
    typename Q::Reply ask(Q question) {
        return std::get<typename Q::Reply>(questions_->answer(std::move(question)).value());
    }
    /// A process ends without a stop, and another one starts.
    void crash() {
        questions_.reset();
        ledger_.reset();
        start();
    }
    /// A process stops in good order, and another one starts.
    void restart() {
        ledger_->release();
        crash();
    }

    queue::QueueId add(const queue::Arrival& mail) { return *run(accept(mail)).id; }
    std::vector<queue::LeasedMessage> lease(const queue::Destination& destination = kToB,
                                            const queue::Ready& ready = kReadyB) {
        return run(queue::LeaseDue{destination, ready, true, false}).lease.messages;
    }
    queue::DueNow settle(std::vector<queue::MessageOutcome> outcomes) {
        return run(queue::Settle{
            std::make_shared<const std::vector<queue::MessageOutcome>>(std::move(outcomes))});
    }
    /// All steps of `operation`, which answers where the next one goes on.
    template <class Op>
    void run_steps(Op operation) {
        for (;;) {
            const auto done = run(operation);
            if (!done.next) return;
            operation.behind = *done.next;
        }
    }

    ManualClock clock;
    SeededRandom random;

  private:
    void start() {
        auto settings = settings_in(folder_);
        settings.complaints = complaints_;
        ledger_ = by_.open(settings, clock, random);
        questions_ = by_.ask(settings);
    }

    Folder folder_;
    Implementation by_;
    queue::ComplaintSettings complaints_;
    std::unique_ptr<queue::Ledger> ledger_;
    std::unique_ptr<queue::Questions> questions_;
};

}  // namespace support
