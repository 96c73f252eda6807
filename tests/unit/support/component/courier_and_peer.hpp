// XmppCourier and the peer at its other end: one that is scripted, or one that keeps the protocol.
#pragma once

#include "base/task_group.hpp"
#include "component/incoming/transfer_answer.hpp"
#include "component/outgoing/xmpp_courier.hpp"
#include "support/component/doubles.hpp"
#include "support/memory_disk.hpp"

#include <catch2/catch.hpp>

namespace doubles {

using namespace std::chrono_literals;

struct Courier : World {
    Courier() {
        usual_peer();
        courier = std::make_unique<XmppCourier>(
            io.get_executor(), std::map<std::string, Link*>{{"mail.a.test", &link}}, *discovery,
            clock);
        deliver = [this](const ScriptedLink::Asked& asked) {
            sizes.push_back(transfers_in(asked.payload));
            return peer(asked);
        };
    }
    static std::size_t transfers_in(const std::string& payload) {
        std::size_t count = 0;
        for (auto at = payload.find("<transfer "); at != std::string::npos;
             at = payload.find("<transfer ", at + 1))
            ++count;
        return count;
    }
    /// The peer reads the request and says `reply` to every recipient.
    static Verdicts verdicts(const ScriptedLink::Asked& asked, const mail::Reply& reply) {
        auto read = read_payload(asked.payload);
        Verdicts all;
        for (const auto& transfer : std::get<IncomingBatch>(read).transfers) {
            Verdict verdict{transfer.key, Verdict::State::done, "4XB0", {}, 0, 0};
            for (const auto& recipient : transfer.envelope.recipients)
                verdict.recipients.push_back({recipient.n, reply});
            all.push_back(std::move(verdict));
        }
        return all;
    }
    queue::LeasedMessage message(int number, std::string content = "Subject: x\r\n\r\nHello\r\n") {
        queue::OutgoingTransfer transfer{
            {domain("a.test"), fmt::format("019face33801a4c123b1612dd27{:05}", number)},
            "mail.b.test",
            false,
            clock.now() + 24h};
        return {{number},
                envelope("alice@a.test", {"bob@b.test"}),
                mail::Content(std::move(content)),
                {},
                clock.now(),
                clock.now() + 24h,
                transfer};
    }
    std::vector<queue::MessageOutcome> send(std::vector<queue::LeasedMessage> messages) {
        return support::run<std::vector<queue::MessageOutcome>>(
            io, [&]() -> base::Task<std::vector<queue::MessageOutcome>> {
                const auto ready = co_await courier->prepare(destination, queue::Urgency::fresh);
                readiness = ready;
                std::vector<queue::MessageOutcome> told;
                queue::Tell tell = [&](queue::MessageOutcome outcome) {
                    told.push_back(std::move(outcome));
                };
                co_await courier->deliver(destination, messages, tell);
                std::ranges::stable_sort(told, {}, &queue::MessageOutcome::id);
                co_return told;
            });
    }
    /// Each in a round of its own.
    std::vector<queue::MessageOutcome> send_at_once(std::vector<queue::LeasedMessage> messages) {
        return support::run<std::vector<queue::MessageOutcome>>(
            io, [&]() -> base::Task<std::vector<queue::MessageOutcome>> {
                const auto ready = co_await courier->prepare(destination, queue::Urgency::fresh);
                readiness = ready;
                std::vector<queue::MessageOutcome> told;
                const queue::Tell tell = [&](queue::MessageOutcome outcome) {
                    told.push_back(std::move(outcome));
                };
                base::TaskGroup rounds(io.get_executor());
                for (const auto& each : messages) {
                    rounds.spawn("round", [this, each, tell]() -> base::Task<void> {
                        std::vector<queue::LeasedMessage> one(1, each);
                        co_await courier->deliver(destination, std::move(one), tell);
                    });
                }
                co_await rounds.join();
                std::ranges::stable_sort(told, {}, &queue::MessageOutcome::id);
                co_return told;
            });
    }
    queue::MessageOutcome send_one(bool sent_before = false) {
        auto one = message(1);
        one.transfer->sent_before = sent_before;
        return send({one}).at(0);
    }
    std::string noise(std::size_t size) {
        std::string text;
        while (text.size() < size)
            text += fmt::format("{:x}\r\n", random.below(1u << 31));
        text.resize(size);
        return text;
    }
    queue::Destination destination{queue::Lane::xmpp, "mail.a.test", "b.test"};
    std::unique_ptr<XmppCourier> courier;
    std::function<IqReply(const ScriptedLink::Asked&)> peer;
    std::vector<std::size_t> sizes;
    std::optional<queue::Readiness> readiness;
};

/// A peer that keeps the protocol, with its disk in memory.
struct PeerDisk {
    IqReply answer(const ScriptedLink::Asked& asked_of_it) {
        auto payload = read_payload(asked_of_it.payload, asked_of_it.type);
        ++asked[asked_of_it.payload.substr(1, asked_of_it.payload.find(' ') - 1)];
        return std::visit([this](auto& request) { return take(request); }, payload);
    }
    IqReply take(IncomingBatch& batch) {
        BlockCodec codec;
        const auto bytes = *codec.unpack(batch.block, batch.deflated, batch.block_size);
        Verdicts all;
        for (const auto& transfer : batch.transfers) {
            if (!disk.find(transfer.key).is_other(kPeer, digest_of(transfer)))
                all.push_back(
                    accept(transfer, bytes.substr(transfer.offset, transfer.size), false));
        }
        if (all.empty()) return id_reuse();
        return all;
    }
    IqReply take(IncomingOpen& request) {
        if (asked["open"] == forgets_at_open) disk.rows.clear();
        const auto& transfer = request.transfer;
        const auto known =
            disk.open({transfer.key, kPeer, digest_of(transfer), transfer.size, transfer.expires});
        if (!known) return id_reuse();
        opened.insert_or_assign(transfer.key, transfer);
        return Verdicts{verdict_of(transfer.key, *known, 100000)};
    }
    IqReply take(IncomingChunk& chunk) {
        BlockCodec codec;
        const auto bytes = *codec.unpack(chunk.block, chunk.deflated, chunk.size);
        const auto known = disk.add({chunk.key, kPeer, chunk.offset, bytes});
        if (!known) return StanzaError{"cancel", "item-not-found", "unknown-transfer", {}, {}};
        if (known->offset < chunk.offset + chunk.size) return bad_offset(known->offset);
        return Ack{chunk.key, known->offset};
    }
    IqReply take(IncomingCommit& request) {
        return Verdicts{accept(opened.at(request.key), *disk.content(request.key, kPeer), true)};
    }
    IqReply take(IncomingStatus& request) {
        const auto known = disk.find(request.key);
        if (known.is_other(kPeer, request.digest)) return id_reuse();
        return Verdicts{verdict_of(request.key, known, 100000)};
    }
    IqReply take(IncomingAbort& request) {
        const auto known = disk.call_back({request.key, kPeer, request.expires, request.digest});
        if (!known) return id_reuse();
        return Verdicts{verdict_of(request.key, *known, 0)};
    }
    template <class Other>
    IqReply take(Other&) {
        return StanzaError{"modify", "bad-request", "malformed", {}, {}};
    }
    Verdict accept(const IncomingTransfer& transfer, std::string content, bool in_pieces) {
        queue::ReceivedTransfer received{
            transfer.key, kPeer, "mail.b.test", digest_of(transfer), transfer.expires, {}};
        received.in_pieces = in_pieces;
        for (const auto& recipient : transfer.envelope.recipients)
            received.verdicts.push_back({recipient.n, {250, {2, 1, 5}, {}}});
        queue::Arrival arrival;
        arrival.envelope = transfer.envelope;
        arrival.content = mail::Content(std::move(content));
        arrival.transfer = received;
        REQUIRE(disk.accept(arrival));
        return verdict_of(transfer.key, disk.find(transfer.key), 0);
    }
    static constexpr const char* kPeer = "mail.a.test";
    support::MemoryDisk disk;
    std::map<std::string, int> asked;
    std::map<queue::TransferKey, IncomingTransfer> opened;
    int forgets_at_open = -1;
};

inline const queue::Deferred& deferred(const queue::MessageOutcome& outcome) {
    return std::get<queue::Deferred>(outcome.recipients.at(0).outcome);
}
template <class T>
bool is(const queue::MessageOutcome& outcome) {
    return std::holds_alternative<T>(outcome.recipients.at(0).outcome);
}
inline StanzaError error(std::string condition, std::string ours = {}) {
    return {"cancel", std::move(condition), std::move(ours), {}, {}};
}

}  // namespace doubles
