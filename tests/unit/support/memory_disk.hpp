// MemoryDisk: what a receiver of transfers has on its disk, in memory, by the same state machine
// (queue/intake/receiving.hpp) as the real store. tests/unit/queue compares the two.
#pragma once

#include "queue/intake/receiving.hpp"
#include "queue/ports.hpp"

#include <map>
#include <string>
#include <vector>

namespace support {

struct MemoryDisk {
    struct Row {
        queue::KnownTransfer known;
        base::TimePoint expires;
        std::string content;  ///< of an open one, as far as it has come
    };
    struct Message {
        queue::TransferKey key;
        std::string content;
        std::vector<std::string> recipients;
    };
    std::map<queue::TransferKey, Row> rows;
    std::vector<Message> messages;
    std::int64_t ids = 1000;

    queue::KnownTransfer find(const queue::TransferKey& key) const {
        const auto at = rows.find(key);
        return at == rows.end() ? queue::KnownTransfer() : at->second.known;
    }

    base::Result<queue::KnownTransfer> open(const queue::Opening& opening) {
        auto known = find(opening.key);
        const auto turn = queue::open(known, opening);
        if (turn == queue::Effect::conflict) return conflict();
        if (turn == queue::Effect::changed) rows[opening.key] = {known, opening.expires, {}};
        return known;
    }

    base::Result<queue::KnownTransfer> add(const queue::Piece& piece) {
        auto known = find(piece.key);
        switch (queue::add(known, piece.peer, piece.offset, piece.bytes.size())) {
            case queue::Effect::changed:
                rows[piece.key].known = known;
                rows[piece.key].content += piece.bytes;
                return known;
            case queue::Effect::too_long:
                return base::fail(base::Errc::limit, "too long");
            case queue::Effect::not_open:
                return base::fail(base::Errc::not_found, "not open");
            default:
                return known;
        }
    }

    base::Result<std::string> content(const queue::TransferKey& key,
                                      const std::string& peer) const {
        const auto known = find(key);
        if (known.state != queue::KnownTransfer::State::open || known.peer != peer ||
            known.offset != known.size)
            return base::fail(base::Errc::not_found, "not complete");
        return rows.at(key).content;
    }

    base::Result<queue::Receipt> accept(const queue::Arrival& arrival) {
        const auto& transfer = *arrival.transfer;
        auto known = find(transfer.key);
        queue::Receipt receipt;
        switch (queue::finish(known, transfer)) {
            case queue::Effect::changed:
                break;
            case queue::Effect::same:
                receipt.id = known.queue_id;
                receipt.earlier = known;
                return receipt;
            case queue::Effect::conflict:
                return conflict();
            default:
                return base::fail(base::Errc::not_found, "not complete");
        }
        if (!arrival.envelope.recipients.empty()) {
            receipt.id = known.queue_id = queue::QueueId{++ids};
            Message message{transfer.key, std::string(arrival.content.bytes()), {}};
            for (const auto& recipient : arrival.envelope.recipients)
                message.recipients.push_back(recipient.address.text());
            messages.push_back(std::move(message));
        }
        rows[transfer.key] = {known, transfer.expires, {}};
        return receipt;
    }

    base::Result<queue::KnownTransfer> call_back(const queue::Recall& recall) {
        auto known = find(recall.key);
        const auto turn = queue::call_back(known, recall);
        if (turn == queue::Effect::conflict) return conflict();
        if (turn == queue::Effect::changed) rows[recall.key] = {known, recall.expires, {}};
        return known;
    }

    /// What the store forgets when its time is over.
    void prune(base::TimePoint now) {
        std::erase_if(rows, [&](const auto& item) {
            const bool is_open = item.second.known.state == queue::KnownTransfer::State::open;
            const auto grace = is_open ? std::chrono::hours(0) : std::chrono::hours(1);
            return item.second.expires + grace < now;
        });
    }

  private:
    static base::Error conflict() { return base::fail(base::Errc::conflict, "another message"); }
};

}  // namespace support
