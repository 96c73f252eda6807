// MemoryTransfers: Intake and TransferBook on a MemoryDisk. Each call is a durable step: before it
// and behind it, `step` is awaited, and one that says no is a disk that is gone.
#pragma once

#include "support/committed.hpp"
#include "support/memory_disk.hpp"

#include <functional>
#include <optional>

namespace support {

class MemoryTransfers final : public queue::Intake, public queue::TransferBook {
  public:
    using Known = base::Result<queue::Committed<queue::KnownTransfer>>;
    using Accepted = base::Result<queue::Committed<queue::Receipt>>;

    explicit MemoryTransfers(MemoryDisk& on) : disk(on) {}

    base::Task<std::vector<Accepted>> accept_all(std::vector<queue::Arrival> all) override {
        std::vector<Accepted> results;
        const bool before = co_await step();
        for (auto& arrival : all) {
            if (fails || !before) {
                results.push_back(base::fail(fails.value_or(base::Errc::storage), "as told"));
                continue;
            }
            queue::Arrival in_memory = arrival;
            auto bytes = co_await arrival.content.read(0, arrival.content.size());
            // Of what is refused nothing is stored.
            in_memory.content = bytes ? queue::Content(std::move(*bytes)) : queue::Content();
            auto receipt = disk.accept(in_memory);
            if (receipt) {
                if (!receipt->earlier) arrivals.push_back(std::move(arrival));
                results.push_back(queue::StorageThread::commit_for_test(std::move(*receipt)));
            } else {
                results.push_back(receipt.error());
            }
        }
        const bool after = co_await step();
        if (!after) results.assign(all.size(), base::fail(base::Errc::storage, "gone"));
        co_return results;
    }
    base::Task<base::Result<std::shared_ptr<queue::Spool>>> spool() override {
        co_return base::fail(base::Errc::storage, "only SMTP has one");
    }
    base::Task<base::Result<std::vector<queue::KnownTransfer>>> find(
        std::vector<queue::TransferKey> keys, bool with_class) override {
        const bool before = co_await step();
        if (!before) co_return base::fail(base::Errc::storage, "gone");
        std::vector<queue::KnownTransfer> found;
        for (const auto& key : keys) {
            found.push_back(disk.find(key));
            if (with_class) found.back().sender_class = class_of(key.domain);
        }
        co_return found;
    }
    base::Task<Known> open(queue::Opening opening) override {
        std::function<base::Result<queue::KnownTransfer>()> operation = [&] {
            return disk.open(opening);
        };
        Known known = co_await change(operation);
        co_return known;
    }
    base::Task<Known> add(queue::Piece piece) override {
        std::function<base::Result<queue::KnownTransfer>()> operation = [&] {
            return disk.add(piece);
        };
        Known known = co_await change(operation);
        co_return known;
    }
    base::Task<base::Result<Complete>> content(queue::TransferKey key, std::string peer) override {
        const bool before = co_await step();
        if (!before) co_return base::fail(base::Errc::storage, "gone");
        auto bytes = disk.content(key, peer);
        if (!bytes) co_return bytes.error();
        if (content_fails) co_return base::fail(*content_fails, "as told");
        co_return Complete{as_content(std::move(*bytes)), queue::QueueId{1}};
    }
    base::Task<Known> call_back(queue::Recall recall) override {
        std::function<base::Result<queue::KnownTransfer>()> operation = [&] {
            return disk.call_back(recall);
        };
        Known known = co_await change(operation);
        co_return known;
    }

    MemoryDisk& disk;
    std::optional<base::Errc> fails;
    std::optional<base::Errc> content_fails;  ///< content()
    /// How content() gives it out.
    std::function<queue::Content(std::string)> as_content = [](std::string bytes) {
        return queue::Content(mail::Content(std::move(bytes)));
    };
    std::function<queue::PeerClass(const mail::Domain&)> class_of = [](const mail::Domain&) {
        return queue::PeerClass::none;
    };
    std::vector<queue::Arrival> arrivals;  ///< what was stored as new
    std::function<base::Task<bool>()> step = []() -> base::Task<bool> { co_return true; };

  private:
    base::Task<Known> change(std::function<base::Result<queue::KnownTransfer>()> operation) {
        const bool before = co_await step();
        if (fails || !before) co_return base::fail(fails.value_or(base::Errc::storage), "as told");
        auto known = operation();
        const bool after = co_await step();
        if (!known) co_return known.error();
        if (!after) co_return base::fail(base::Errc::storage, "gone");
        co_return queue::StorageThread::commit_for_test(std::move(*known));
    }
};

}  // namespace support
