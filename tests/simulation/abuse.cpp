#include "component/protocol/transfer_codec.hpp"
#include "component/stream/disco_info.hpp"
#include "receiver.hpp"
#include "simulation.hpp"

#include <fmt/format.h>

namespace simulation {
namespace {

constexpr int kFoes = 6;              // the last two are domains whose servers don't answer
constexpr std::int64_t kPause = 250;  // milliseconds between two requests, on average
constexpr std::int64_t kRest = 30 * kMinute;
const char* const kVictim = "mail.b.test";

class Abuse final : public Surroundings {
  public:
    Abuse(std::uint64_t seed, bool tell) : timeline_(seed, tell), mailboxes_(timeline_) {
        for (int foe = 0; foe < kFoes; ++foe)
            introduce(foe);
        victim_ = std::make_unique<Receiver>(*this, kVictim, "b.test", disk_, mailboxes_,
                                             std::chrono::milliseconds(0), kept_, seed);
        timeline_.after(0, [this] { attack(); });
        for (std::int64_t at = 0; at < kHour + kRest; at += kMinute)
            timeline_.after(at, [this] { victim_->taker->sweep(); });
    }

    Report run() {
        std::size_t most = 0;
        while (timeline_.next(kHour + kRest)) {
            victim_->process->set_time(timeline_.now());
            most = std::max(most, victim_->holds());
        }
        if (most == 0) report_.broken = "nothing was ever held: the abuse is none";
        if (victim_->holds() > 0)
            report_.broken = fmt::format("the victim still holds {} things", victim_->holds());
        if (answers_ < report_.stanzas / 2) report_.broken = "most requests got no answer";
        report_.history = std::move(timeline_.history);
        return report_;
    }

    Timeline& timeline() override { return timeline_; }
    const Facts& facts() const override { return facts_; }
    void transmit(const std::string&, const std::string&, std::string) override { ++answers_; }

  private:
    void introduce(int foe) {
        const std::string name = fmt::format("e{}.test", foe);
        if (foe >= kFoes - 2) {
            facts_.silent.insert(name);
            return;
        }
        facts_.infos[name] = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
        facts_.items[name] = fmt::format(
            "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='mail.{}'/></query>",
            name);
        facts_.infos["mail." + name] = disco_info_query(settings_of("mail." + name, name));
    }

    void attack() {
        if (timeline_.now() >= kHour) return;
        timeline_.after(timeline_.between(0, 2 * kPause), [this] { attack(); });
        const auto foe = timeline_.between(0, kFoes - 1);
        const std::string from = fmt::format("mail.e{}.test", foe);
        const bool get = timeline_.chance(15);
        const std::string stanza =
            *write_iq({get ? "get" : "set", "q1", from, kVictim}, payload(foe));
        timeline_.note(stanza.substr(0, 300));
        // A replay is a stanza like any other.
        const int times = timeline_.chance(10) ? 3 : 1;
        for (int i = 0; i < times; ++i) {
            ++report_.stanzas;
            victim_->process->deliver(stanza);
        }
    }

    std::string payload(std::int64_t foe) {
        const auto whose = timeline_.chance(90) ? foe : timeline_.between(0, kFoes - 1);
        const queue::TransferKey key{domain(fmt::format("e{}.test", whose)),
                                     fmt::format("01a1fd8c69{:030}", timeline_.between(1, 30))};
        const auto hours = timeline_.between(-1, timeline_.chance(10) ? 500 : 24);
        const base::TimePoint expires = victim_->process->clock.now() + std::chrono::hours(hours);
        const std::string content =
            "Subject: x\r\n\r\n" +
            std::string(static_cast<std::size_t>(timeline_.between(0, 9000)), 'x') +
            (timeline_.chance(90) ? "\r\n" : "\n");
        OutgoingMessage message{key, {}, mail::Content(content), expires};
        message.envelope.from = *mail::Mailbox::parse(fmt::format("eve@e{}.test", whose));
        message.envelope.recipients.push_back(
            {0,
             *mail::Mailbox::parse(timeline_.chance(80) ? "bob@b.test" : "nobody@b.test"),
             {},
             {}});
        const auto hash = timeline_.chance(80) ? mail::sha256(content) : mail::Sha256{};
        const auto offset = timeline_.chance(60) ? 0 : timeline_.between(0, 10000);
        switch (timeline_.between(0, 7)) {
            case 0:
                return *encode_transfers({&message, 1}, {}, codec_);
            case 1:
                return *encode_open(message, hash);
            case 2:
            case 3:
                return encode_chunk(key, static_cast<std::uint64_t>(offset), content,
                                    timeline_.chance(50), codec_);
            case 4:
                return encode_commit(key);
            case 5:
                return encode_status(key, maybe(digest_of(message, hash)));
            case 6:
                return encode_abort(key, expires, maybe(digest_of(message, hash)));
            default:
                return encode_ack({key, 7});
        }
    }

    std::optional<mail::Sha256> maybe(const mail::Sha256& digest) {
        return timeline_.chance(80) ? std::optional(digest) : std::nullopt;
    }

    Timeline timeline_;
    Mailboxes mailboxes_;
    Facts facts_;
    support::MemoryDisk disk_;
    KeptClock kept_;
    BlockCodec codec_;
    std::size_t answers_ = 0;
    std::unique_ptr<Receiver> victim_;
    Report report_;
};

}  // namespace

Report abuse(std::uint64_t seed, bool tell) {
    Abuse abuse(seed, tell);
    return abuse.run();
}

}  // namespace simulation
