#include "simulation.hpp"

#include "component/stream/disco_info.hpp"
#include "receiver.hpp"
#include "sender.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace simulation {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kEnd = 8 * kDay;  // every mail has expired long before
// Once no clock is wrong any more, and nothing else fails, so long after that all mail has its end:
// a few retries, as what is unclear is asked about, called back, and sent anew.
constexpr std::int64_t kSettled = kFaults + 6 * kHour;
const char* const kReceivers[] = {"mail.b.test", "mail2.b.test"};

class World final : public Surroundings {
  public:
    World(std::uint64_t seed, bool tell) : timeline_(seed, tell), mailboxes_(timeline_) {
        choose();
        publish();
        sender_ = make_sender();
        for (std::size_t i = 0; i < 2; ++i)
            receivers_[i] = make_receiver(i);
    }

    Report run() {
        while (timeline_.next(kEnd)) {
            tell_time();
            sender_->wake();
            note_ends();
        }
        judge();
        report_.messages = disk_.mails.size();
        report_.history = std::move(timeline_.history);
        return report_;
    }

    Timeline& timeline() override { return timeline_; }
    const Facts& facts() const override { return facts_; }
    void transmit(const std::string& from, const std::string& to, std::string stanza) override;

  private:
    struct Knobs {
        std::uint64_t loss = 0, twice = 0, late = 0, bounce = 0;  // per cent of the stanzas
        bool in_order = true;
        std::int64_t skew_a = 0, skew_b = 0;  // milliseconds
        bool keys_are_taken = false;
    };
    /// Whose clocks there are.
    enum Side : std::size_t { kSender = 0, kFirstReceiver = 1, kSides = 3 };

    void choose();
    void publish();
    void add_mail();
    void plan_crashes();
    void plan_changes();
    void plan_jumps();
    void jump_for(std::int64_t time);
    void jump(std::size_t side, std::int64_t by);
    milliseconds skew_of(std::size_t side) const;
    std::unique_ptr<Sender> make_sender();
    std::unique_ptr<Receiver> make_receiver(std::size_t i);
    void crash_sender();
    void crash_receiver(std::size_t i, bool restores);
    void tell_time();
    void carry(const std::string& from, const std::string& to, const std::string& stanza);
    void bounce(const std::string& from, const std::string& to, const std::string& stanza);
    bool is_poisonous(const std::string& stanza) const;
    void take_keys(const std::string& receiver, const std::string& stanza);
    bool faulty() const { return timeline_.now() < kFaults; }
    void note_ends();
    void judge();
    void judge_time(const Recipient& recipient, const std::string& name);
    void broken(const std::string& what) {
        if (report_.broken.empty()) report_.broken = what;
    }

    Timeline timeline_;
    Knobs knobs_;
    Facts facts_;
    Mailboxes mailboxes_;
    SenderDisk disk_;
    support::MemoryDisk disks_[2];
    support::MemoryDisk backups_[2];
    std::set<std::string> forgiven_;  ///< ids that a restored disk knows otherwise
    std::set<std::string> seen_;      ///< ids that have been sent
    std::set<std::string> taken_;     ///< and those that a receiver has with another message
    std::unique_ptr<Sender> sender_;
    std::unique_ptr<Receiver> receivers_[2];
    std::int64_t wrong_[kSides] = {};  ///< by how much the wall clocks are ahead now
    KeptClock kept_[kSides];
    KeptClock kept_in_backup_;
    bool is_well_ = true;                ///< from kFaults on everybody speaks for whom it should
    bool sender_is_long_wrong_ = false;  ///< for long enough to be believed
    std::size_t serving_ = 0;            ///< which receiver serves b.test
    bool domain_takes_mail_ = true;
    bool sender_speaks_ = true;                                         ///< mail.a.test for a.test
    std::map<std::pair<std::string, std::string>, std::int64_t> last_;  ///< arrival, by link
    Report report_;
};

void World::choose() {
    const auto sometimes = [this](std::uint64_t most) {
        return timeline_.chance(50) ? timeline_.random.below(most) : 0;
    };
    knobs_.loss = sometimes(30);
    knobs_.twice = sometimes(20);
    knobs_.late = sometimes(15);
    knobs_.bounce = sometimes(20);
    knobs_.in_order = timeline_.chance(70);
    knobs_.keys_are_taken = timeline_.chance(10);
    if (timeline_.chance(40)) {
        // Within the hour, as the protocol has it.
        knobs_.skew_a = timeline_.between(-25 * kMinute, 25 * kMinute);
        knobs_.skew_b = timeline_.between(-25 * kMinute, 25 * kMinute);
    }
    const auto mails = static_cast<std::size_t>(timeline_.between(1, 6));
    for (std::size_t i = 0; i < mails; ++i)
        timeline_.after(timeline_.between(0, 8 * kHour), [this] { add_mail(); });
    plan_crashes();
    plan_changes();
    plan_jumps();
    for (std::int64_t at = 0; at < kEnd; at += kHour) {
        timeline_.after(at, [this] {
            for (std::size_t i = 0; i < 2; ++i) {
                Process& process = *receivers_[i]->process;
                if (process.may_forget_verdicts()) disks_[i].prune(process.clock.now());
                receivers_[i]->taker->sweep();
            }
        });
    }
}

void World::plan_crashes() {
    if (timeline_.chance(50)) {
        for (std::int64_t i = timeline_.between(1, 12); i > 0; --i)
            timeline_.after(timeline_.between(0, kFaults), [this] { crash_sender(); });
    }
    for (std::size_t which = 0; which < 2; ++which) {
        if (timeline_.chance(50)) continue;
        for (std::int64_t i = timeline_.between(1, 12); i > 0; --i)
            timeline_.after(timeline_.between(0, kFaults),
                            [this, which] { crash_receiver(which, false); });
    }
    if (timeline_.chance(10)) {
        const std::int64_t saved = timeline_.between(0, 12 * kHour);
        timeline_.after(saved, [this] {
            backups_[0] = disks_[0];
            kept_in_backup_ = kept_[kFirstReceiver];
        });
        timeline_.after(saved + timeline_.between(kMinute, 23 * kHour),
                        [this] { crash_receiver(0, true); });
    }
    // Some crashes right after the mail has come, when most is under way.
    if (timeline_.chance(30)) {
        for (std::int64_t i = 0; i < 20; ++i)
            timeline_.after(timeline_.between(0, 8 * kHour), [this] {
                const bool busy = sender_->at_work() > 0;
                if (busy && timeline_.chance(50)) crash_sender();
                if (busy && timeline_.chance(50)) crash_receiver(serving_, false);
            });
    }
}

/// Somebody sets a clock, to whatever time, and sooner or later it is set right: while all else is
/// still going on, so that the wrong time is met at each step of a mail's life.
void World::plan_jumps() {
    static constexpr std::int64_t kLasts[] = {kMinute, 30 * kMinute, 3 * kHour, 12 * kHour};
    if (!timeline_.chance(50)) return;
    for (std::int64_t i = timeline_.between(1, 6); i > 0; --i)
        timeline_.after(timeline_.between(0, 12 * kHour),
                        [this] { jump_for(kLasts[timeline_.random.below(std::size(kLasts))]); });
    // Some right after the mail has come, when most is under way.
    if (timeline_.chance(50)) return;
    for (std::int64_t i = 0; i < 20; ++i)
        timeline_.after(timeline_.between(0, 8 * kHour), [this] {
            if (sender_->at_work() > 0) jump_for(timeline_.between(100, 5 * kMinute));
        });
}

void World::jump_for(std::int64_t time) {
    static constexpr std::int64_t kJumps[] = {10 * kSecond, 3 * kMinute, 20 * kMinute, 2 * kHour,
                                              kDay,         8 * kDay,    365 * kDay};
    const auto side = static_cast<std::size_t>(timeline_.between(0, kSides - 1));
    const std::int64_t by =
        kJumps[timeline_.random.below(std::size(kJumps))] * (timeline_.chance(50) ? 1 : -1);
    jump(side, by);
    timeline_.after(time, [this, side, by] { jump(side, -by); });
}

void World::jump(std::size_t side, std::int64_t by) {
    timeline_.note(fmt::format("clock {} jumps by {}", side, by));
    wrong_[side] += by;
    Process& process =
        side == kSender ? sender_->process() : *receivers_[side - kFirstReceiver]->process;
    process.clock.jump(milliseconds(by));
}

milliseconds World::skew_of(std::size_t side) const {
    return milliseconds((side == kSender ? knobs_.skew_a : knobs_.skew_b) + wrong_[side]);
}

void World::plan_changes() {
    const auto change = [this](std::int64_t at, std::function<void()> what, const char* name) {
        timeline_.after(at, [this, what, name] {
            timeline_.note(name);
            what();
            publish();
        });
    };
    if (timeline_.chance(20)) {
        change(
            timeline_.between(0, 10 * kHour), [this] { serving_ = 1; }, "C changes");
    }
    if (timeline_.chance(10)) {
        change(
            timeline_.between(0, 10 * kHour), [this] { domain_takes_mail_ = false; },
            "b.test retires");
    }
    if (timeline_.chance(20)) {
        const auto at = timeline_.between(0, 6 * kHour);
        change(
            at, [this] { sender_speaks_ = false; }, "the authority is revoked");
        is_well_ = timeline_.chance(70);
        if (is_well_)
            change(
                at + timeline_.between(kHour, 10 * kHour), [this] { sender_speaks_ = true; },
                "the authority is back");
    }
}

void World::publish() {
    const auto list = [](const std::vector<std::string>& jids) {
        std::string xml = "<query xmlns='http://jabber.org/protocol/disco#items'>";
        for (const auto& jid : jids)
            xml += "<item jid='" + jid + "'/>";
        return xml + "</query>";
    };
    facts_.items["b.test"] = list({kReceivers[0], kReceivers[1]});
    for (std::size_t i = 0; i < 2; ++i) {
        const bool serves = domain_takes_mail_ && i == serving_;
        facts_.infos[kReceivers[i]] =
            disco_info_query(settings_of(kReceivers[i], serves ? "b.test" : ""));
    }
    facts_.items["a.test"] =
        list(sender_speaks_ ? std::vector<std::string>{"mail.a.test"} : std::vector<std::string>());
    facts_.infos["mail.a.test"] =
        disco_info_query(settings_of("mail.a.test", sender_speaks_ ? "a.test" : ""));
    facts_.infos["a.test"] = facts_.infos["b.test"] =
        "<query xmlns='http://jabber.org/protocol/disco#info'/>";
}

void World::add_mail() {
    Mail mail;
    const auto number = disk_.mails.size();
    const auto size = static_cast<std::size_t>(
        timeline_.chance(50) ? timeline_.between(10, 3000) : timeline_.between(9000, 60000));
    mail.content = fmt::format("Subject: {}\r\n\r\n", number);
    while (mail.content.size() < size)
        mail.content += fmt::format("{:x}\r\n", timeline_.random.below(~std::uint64_t(0)));
    mail.received = sender_->process().latest_now();
    mail.expires = mail.received + std::chrono::hours(24 * 5);
    mail.added = timeline_.now();
    mail.poison = timeline_.chance(5);
    disk_.mails.push_back(mail);
    std::uint32_t n = 0;
    for (const char* name : {"bob", "carol", "nobody"}) {
        if (n > 0 && timeline_.chance(50)) continue;
        disk_.recipients.push_back({number,
                                    n++,
                                    std::string(name) + "@b.test",
                                    State::waiting,
                                    mail.received,
                                    0,
                                    0,
                                    {},
                                    false});
    }
    timeline_.note(fmt::format("mail {} of {} bytes for {}", number, mail.content.size(), n));
}

std::unique_ptr<Sender> World::make_sender() {
    return std::make_unique<Sender>(*this, disk_, settings_of("mail.a.test", "a.test"),
                                    skew_of(kSender), kept_[kSender],
                                    timeline_.random.below(~std::uint64_t(0)));
}

std::unique_ptr<Receiver> World::make_receiver(std::size_t i) {
    // What a component takes is its own admin's word: the one that served b.test goes on for a
    // time.
    return std::make_unique<Receiver>(*this, kReceivers[i], "b.test", disks_[i], mailboxes_,
                                      skew_of(kFirstReceiver + i), kept_[kFirstReceiver + i],
                                      timeline_.random.below(~std::uint64_t(0)));
}

void World::crash_sender() {
    timeline_.note("A crashes");
    ++report_.crashes;
    sender_->die();
    sender_ = make_sender();
}

void World::crash_receiver(std::size_t i, bool restores) {
    timeline_.note(fmt::format("{} crashes{}", kReceivers[i],
                               restores ? " and is restored from a backup" : ""));
    ++report_.crashes;
    receivers_[i]->process->die();
    if (restores) {
        for (const auto& [key, row] : disks_[i].rows) {
            const auto saved = backups_[i].rows.find(key);
            const bool same = saved != backups_[i].rows.end() && saved->second.known == row.known;
            if (!same) forgiven_.insert(key.id);
        }
        disks_[i] = backups_[i];
        kept_[kFirstReceiver] = kept_in_backup_;
    }
    receivers_[i] = make_receiver(i);
}

void World::tell_time() {
    // Each looks at its clock all the time.
    sender_->process().set_time(timeline_.now());
    const bool believed = sender_->process().may_end_by_time();
    sender_is_long_wrong_ =
        sender_is_long_wrong_ || (believed && std::abs(wrong_[kSender]) > kHour);
    for (const auto& receiver : receivers_) {
        receiver->process->set_time(timeline_.now());
        receiver->process->may_end_by_time();
    }
}

void World::transmit(const std::string& from, const std::string& to, std::string stanza) {
    ++report_.stanzas;
    if (stanza.find("<open ") != std::string::npos) ++report_.opens;
    if (knobs_.keys_are_taken && from == sender_->process().settings().jid) take_keys(to, stanza);
    const bool request = stanza.find("<iq type=\"set\"") == 0 || stanza.find("<iq type='set'") == 0;
    const bool reports = faulty() && request && timeline_.chance(knobs_.bounce);
    if (reports) {
        // A server says that it failed, whether it did or not.
        timeline_.after(timeline_.between(10, 40 * kSecond),
                        [this, from, to, stanza] { bounce(from, to, stanza); });
        if (timeline_.chance(50)) return;
    }
    if (faulty() && timeline_.chance(knobs_.loss)) return;
    const int copies = faulty() && timeline_.chance(knobs_.twice) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
        std::int64_t wait = timeline_.between(5, 800);
        const bool late = faulty() && timeline_.chance(knobs_.late);
        if (late) wait = timeline_.between(kSecond, timeline_.chance(50) ? 10 * kMinute : 5 * kDay);
        std::int64_t& last = last_[{from, to}];
        if (!late && knobs_.in_order) {
            wait = std::max(wait, last - timeline_.now() + 1);
            last = timeline_.now() + wait;
        }
        timeline_.after(wait, [this, from, to, stanza] { carry(from, to, stanza); });
    }
}

void World::bounce(const std::string& from, const std::string& to, const std::string& stanza) {
    const auto events = parse(stanza);
    const auto* request = std::get_if<TransferStanza>(&events.at(0));
    if (request == nullptr || from != sender_->process().settings().jid) return;
    sender_->process().deliver(*write_error("iq", {"set", request->head.id, from, to},
                                            {"wait", "remote-server-timeout", {}, {}, {}}));
}

bool World::is_poisonous(const std::string& stanza) const {
    return std::ranges::any_of(disk_.transfers, [&](const SentTransfer& transfer) {
        return disk_.mails[transfer.mail].poison &&
               stanza.find(transfer.key.id) != std::string::npos &&
               stanza.find("<transfers ") != std::string::npos;
    });
}

/// As if one of the sides had been restored: the receiver has accepted another message under the
/// key.
void World::take_keys(const std::string& receiver, const std::string& stanza) {
    using Known = queue::KnownTransfer::State;
    for (std::size_t number = 0; number < disk_.transfers.size(); ++number) {
        const SentTransfer& transfer = disk_.transfers[number];
        if (stanza.find(transfer.key.id) == std::string::npos) continue;
        if (!seen_.insert(transfer.key.id).second || !timeline_.chance(50)) continue;
        taken_.insert(transfer.key.id);
        queue::KnownTransfer known;
        known.state = Known::done;
        known.peer = "mail.a.test";
        known.digest.fill(7);
        for (const Recipient& recipient : disk_.recipients) {
            if (recipient.transfer == number)
                known.verdicts.push_back({recipient.n, {250, {2, 1, 5}, {}}});
        }
        disks_[receiver == kReceivers[0] ? 0 : 1].rows[transfer.key] = {
            known, transfer.expires, {}};
    }
}

void World::carry(const std::string& from, const std::string& to, const std::string& stanza) {
    timeline_.note(from + " -> " + to + ": " + stanza.substr(0, 300));
    if (to == sender_->process().settings().jid) return sender_->process().deliver(stanza);
    const std::size_t i = to == kReceivers[0] ? 0 : 1;
    if (is_poisonous(stanza)) {
        const auto events = parse(stanza);
        const auto& head = std::get<TransferStanza>(events.at(0)).head;
        return transmit(to, from,
                        *write_error("iq", head, {"modify", "bad-request", "malformed", {}, {}}));
    }
    receivers_[i]->process->deliver(stanza);
}

void World::note_ends() {
    for (auto& recipient : disk_.recipients) {
        const bool ended = recipient.state != State::waiting && recipient.state != State::leased;
        if (ended && recipient.ended == 0) recipient.ended = timeline_.now();
    }
}

void World::judge_time(const Recipient& recipient, const std::string& name) {
    constexpr std::int64_t kRoom = 5 * kMinute;  // for jumps that are too short to be one
    const std::int64_t age = recipient.ended - disk_.mails[recipient.mail].added;
    if (recipient.state == State::expired && age < 5 * kDay - kRoom && !sender_is_long_wrong_)
        broken(name + " has expired too early");
    if (recipient.ended > kSettled && is_well_) broken(name + " was stuck");
}

void World::judge() {
    std::map<std::pair<std::size_t, std::string>, int> taken;
    std::map<std::string, std::size_t> mail_of;
    std::set<std::size_t> forgiven;
    for (const auto& transfer : disk_.transfers) {
        mail_of[transfer.key.id] = transfer.mail;
        if (forgiven_.contains(transfer.key.id)) forgiven.insert(transfer.mail);
    }
    for (const auto& disk : disks_) {
        for (const auto& message : disk.messages) {
            const std::size_t mail = mail_of.at(message.key.id);
            if (message.content != disk_.mails[mail].content)
                broken(fmt::format("mail {} has changed", mail));
            for (const auto& address : message.recipients)
                ++taken[{mail, address}];
        }
    }
    for (const auto& recipient : disk_.recipients) {
        report_.delivered += recipient.state == State::delivered ? 1 : 0;
        report_.by_smtp += recipient.state == State::smtp ? 1 : 0;
        report_.failed += recipient.state == State::failed ? 1 : 0;
        report_.expired += recipient.state == State::expired ? 1 : 0;
        if (forgiven.contains(recipient.mail)) continue;
        const int times = taken[{recipient.mail, recipient.address}];
        const auto name = fmt::format("mail {} for {}", recipient.mail, recipient.address);
        judge_time(recipient, name);
        if (times > 1) broken(name + " was taken twice");
        const bool ended = recipient.state != State::waiting && recipient.state != State::leased;
        if (!ended) broken(name + " hangs");
        const bool its_key_is_taken =
            recipient.transfer && taken_.contains(disk_.transfers[*recipient.transfer].key.id);
        if (recipient.state == State::held && !its_key_is_taken) broken(name + " is held");
        if (recipient.state == State::delivered && times == 0) broken(name + " is lost");
        if (ended && recipient.state != State::delivered && times > 0 && !recipient.unclear)
            broken(name + " was taken, and went another way, too");
    }
    if (sender_->holds() > 0) broken("A still holds something");
    for (const auto& receiver : receivers_) {
        if (receiver->holds() > 0) broken("a receiver still holds something");
    }
}

}  // namespace

Report run(std::uint64_t seed, bool tell) {
    World world(seed, tell);
    return world.run();
}

}  // namespace simulation
