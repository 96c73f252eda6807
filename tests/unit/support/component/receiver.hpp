// Receiver: B, mail.b.test, with its mailbox server and its queue, asked by A over a scripted link.
#pragma once

#include "base/text.hpp"
#include "component/incoming/transfer_receiver.hpp"
#include "support/component/doubles.hpp"
#include "support/memory_complaints.hpp"
#include "support/memory_reports.hpp"
#include "support/memory_transfers.hpp"
#include "support/run_until.hpp"

namespace doubles {

using namespace std::chrono_literals;

class ListCheck final : public queue::RecipientCheck {
  public:
    base::Task<std::vector<mail::Reply>> check(mail::ReversePath, bool,
                                               std::vector<mail::Mailbox> recipients) override {
        ++calls;
        std::vector<mail::Reply> replies;
        for (const auto& recipient : recipients) {
            const bool known = recipient.local_part() == "bob" || !base::is_ascii(recipient.text());
            replies.push_back(out     ? mail::Reply{451, {4, 4, 1}, "nobody answers"}
                              : known ? mail::Reply{250, {2, 1, 5}, "ok"}
                                      : refusal);
        }
        co_return replies;
    }
    int calls = 0;
    bool out = false;  // our own mail server
    mail::Reply refusal{550, {5, 1, 1}, "No such user here"};
};

/// mail.b.test, asked by mail.a.test.
struct Receiver : World {
    explicit Receiver(bool takes_complaints = true) : World({"b.test", "mail.b.test"}) {
        link.settings_.jid = "mail.b.test";
        link.settings_.domains = {domain("b.test")};
        list("a.test", {"mail.a.test"});
        add_component("mail.a.test", {"a.test"});
        receiver = std::make_unique<TransferReceiver>(
            io.get_executor(), link, *discovery, gate, intake, intake, reports, &check, router,
            clock, takes_complaints ? &complaints : nullptr);
    }
    ~Receiver() {
        support::run<bool>(io, [&]() -> base::Task<bool> {
            co_await receiver->stop();
            co_return true;
        });
        time.advance(20ms);
    }
    OutgoingMessage message(int number, const std::vector<std::string>& to = {"bob@b.test"},
                            std::string content = "Subject: x\r\n\r\nHello\r\n") {
        return {{domain("a.test"), fmt::format("019face33801a4c123b1612dd27{:05}", number)},
                envelope("alice@a.test", to),
                mail::Content(std::move(content)),
                clock.now() + 24h};
    }
    /// A sends `payload`; what B answers.
    IqReply ask(const std::string& payload, const std::string& from = "mail.a.test",
                const std::string& type = "set") {
        link.sent.clear();
        const std::string text = fmt::format(
            "<iq type='{}' id='q1' from='{}' to='mail.b.test'>{}</iq>", type, from, payload);
        const auto events = read(text);
        auto& stanza = const_cast<TransferStanza&>(std::get<TransferStanza>(events.at(0)));
        receiver->on_transfers(stanza.head, std::move(stanza.payload));
        return answer_of_b(from);
    }
    IqReply answer_of_b(const std::string& from) {
        support::run_until(io, [this] { return !link.sent.empty(); });
        REQUIRE(link.sent.size() == 1);
        auto events = read(link.sent[0]);
        if (auto* transfer = std::get_if<TransferStanza>(&events.at(0))) {
            CHECK(transfer->head.from == "mail.b.test");
            CHECK(transfer->head.to == from);
            CHECK(transfer->head.id == "q1");
            if (const auto* ack = std::get_if<Ack>(&transfer->payload)) return *ack;
            return std::get<Verdicts>(std::move(transfer->payload));
        }
        const auto& tag = *std::get<TagStanza>(events.at(0)).tag;
        CHECK(head_of(tag).from == "mail.b.test");
        if (head_of(tag).type == "result") return TagResult{read_tag(link.sent[0])};
        return read_error(tag);
    }
    IqReply send(const std::vector<OutgoingMessage>& messages,
                 const std::string& from = "mail.a.test") {
        BlockCodec codec;
        return ask(*encode_transfers(messages, {}, codec), from);
    }
    mail::Reply reply_to(const OutgoingMessage& message) {
        const auto reply = send({message});
        REQUIRE(std::holds_alternative<Verdicts>(reply));
        return std::get<Verdicts>(reply).at(0).recipients.at(0).reply;
    }
    std::string error_of(const IqReply& reply) {
        const auto* error = std::get_if<StanzaError>(&reply);
        return error == nullptr ? "" : error->condition + "/" + error->ours;
    }
    ClassGate gate{ClassRules(), clock};
    support::MemoryDisk disk;
    support::MemoryTransfers intake{disk};
    ListCheck check;
    queue::Router router{{{domain("b.test"), "mail.b.test"}}, "mail.b.test"};
    support::MemoryReports reports;
    support::MemoryComplaints complaints;
    std::unique_ptr<TransferReceiver> receiver;
};

}  // namespace doubles
