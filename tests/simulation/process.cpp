#include "process.hpp"

#include "base/limits.hpp"
#include "component/xml/namespaces.hpp"

#include <stdexcept>

#include <fmt/format.h>

namespace simulation {
namespace {

using std::chrono::milliseconds;

constexpr auto kForever = std::chrono::hours(1000);  // of the real clock: something else ends it

class Dns final : public Resolver {
  public:
    base::Task<SrvAnswer> find_server(mail::Domain) override { co_return SrvAnswer::exists; }
};

class NoBook final : public queue::KnownPeers {
  public:
    base::Task<base::Result<std::vector<queue::KnownPeer>>> load(std::optional<mail::Domain>,
                                                                 std::size_t) override {
        co_return std::vector<queue::KnownPeer>();
    }
    base::Task<base::Result<void>> remember(queue::KnownPeer) override {
        co_return base::Result<void>();
    }
    base::Task<base::Result<void>> forget(std::vector<mail::Domain>) override {
        co_return base::Result<void>();
    }
};

}  // namespace

mail::Domain domain(std::string_view text) {
    return *mail::Domain::parse(text);
}

std::vector<XmlEvent> parse(const std::string& stanza) {
    XmlReader reader;
    static const std::string kOpening =
        "<stream:stream xmlns='jabber:component:accept' "
        "xmlns:stream='http://etherx.jabber.org/streams' id='s1'>";
    const auto opened = reader.parse(kOpening);
    const auto parsed = reader.parse(stanza);
    if (!opened || !parsed) throw std::logic_error("not a stanza: " + stanza);
    auto events = reader.take_events();
    events.erase(events.begin());
    return events;
}

Process::Process(Surroundings& around, ComponentSettings settings, milliseconds skew,
                 KeptClock& kept, std::uint64_t seed)
    : random(seed),
      around_(around),
      settings_(std::move(settings)),
      kept_(kept),
      book_(std::make_unique<NoBook>()) {
    DiscoverySettings found;
    found.positive_ttl = std::chrono::hours(2);
    discovery = std::make_unique<Discovery>(io.get_executor(), found, clock, random, *book_,
                                            routes_, std::make_unique<Dns>());
    clock.jump(skew);
    set_time(around_.timeline().now());
    trust_ = std::make_unique<base::ClockTrust>(clock, kept_.believed_at);
}

Process::~Process() = default;

void Process::set_time(std::int64_t now) {
    static const base::SteadyPoint start = support::ManualClock().steady();
    clock.set(start + milliseconds(now));
}

bool Process::may_end_by_time() {
    const auto state = trust_->look();
    if (std::exchange(accepted_, state.times_accepted) != state.times_accepted)
        kept_.forget_from = clock.now() + base::limits::kRetention + base::limits::kVerdictGrace;
    if (state.plausible()) kept_.believed_at = clock.now();
    return state.plausible();
}

bool Process::may_forget_verdicts() {
    return may_end_by_time() && clock.now() >= kept_.forget_from;
}

void Process::pump() {
    io.restart();
    while (io.poll() > 0) {
    }
}

base::Task<bool> Process::step() {
    if (!alive_) co_return false;
    base::OneShot<bool> due(io.get_executor());
    steps_.insert(&due);
    Timeline& timeline = around_.timeline();
    timeline.after(timeline.between(1, 200), [self = weak_from_this(), step = &due] {
        const auto process = self.lock();
        if (!process || !process->alive_ || !process->steps_.contains(step)) return;
        step->set(true);
        process->pump();
    });
    const auto done = co_await due.wait(kForever);
    steps_.erase(&due);
    co_return done.value_or(false);
}

void Process::die() {
    alive_ = false;
    for (auto* step : steps_)
        step->set(false);
    for (auto& [id, pending] : pending_)
        pending.answer->set(NoAnswer{base::fail(base::Errc::closed, "the process dies"), true});
    pump();
}

base::Task<IqReply> Process::request(std::string to, std::string type, std::string payload,
                                     milliseconds limit) {
    if (!alive_) co_return NoAnswer{base::fail(base::Errc::closed, "dead"), false};
    const bool silent = around_.facts().silent.contains(to);
    if (!silent && payload.find("protocol/disco#") != std::string::npos) {
        co_await base::asio::post(io.get_executor(), base::asio::use_awaitable);
        co_return disco(to, payload);
    }
    Timeline& timeline = around_.timeline();
    const std::string id = fmt::format("q{:016x}", timeline.random.below(~std::uint64_t(0)));
    base::OneShot<IqReply> reply(io.get_executor());
    pending_.emplace(id, Pending{to, &reply});
    timeline.after(limit.count(), [self = weak_from_this(), id, to] {
        if (const auto process = self.lock())
            process->answer(id, to, NoAnswer{base::fail(base::Errc::timeout, "no answer"), true});
    });
    if (!silent)
        around_.transmit(settings_.jid, to, *write_iq({type, id, settings_.jid, to}, payload));
    auto answered = co_await reply.wait(kForever);
    pending_.erase(id);
    co_return std::move(*answered);
}

void Process::answer(const std::string& id, const std::string& from, IqReply reply) {
    const auto found = pending_.find(id);
    if (found == pending_.end() || found->second.to != from) return;
    found->second.answer->set(std::move(reply));
    pump();
}

IqReply Process::disco(const std::string& to, const std::string& payload) const {
    const Facts& facts = around_.facts();
    const auto& said = payload.find("disco#items") != std::string::npos ? facts.items : facts.infos;
    const auto found = said.find(to);
    if (found == said.end()) return StanzaError{"cancel", "service-unavailable", {}, {}, {}};
    auto events =
        parse(fmt::format("<iq type='result' id='x' from='{}' to='y'>{}</iq>", to, found->second));
    return TagResult{
        std::shared_ptr<const gloox::Tag>(std::move(std::get<TagStanza>(events.at(0)).tag))};
}

base::Result<void> Process::send(std::string stanza) {
    if (!alive_) return base::fail(base::Errc::closed, "dead");
    const auto events = parse(stanza);
    const auto* transfer = std::get_if<TransferStanza>(&events.at(0));
    const IqHead head =
        transfer != nullptr ? transfer->head : head_of(*std::get<TagStanza>(events.at(0)).tag);
    around_.transmit(settings_.jid, head.to, std::move(stanza));
    return {};
}

void Process::deliver(const std::string& stanza) {
    auto events = parse(stanza);
    if (auto* transfer = std::get_if<TransferStanza>(&events.at(0))) {
        const IqHead head = transfer->head;
        if (head.type != "result") {
            if (handler_ != nullptr) handler_->on_transfers(head, std::move(transfer->payload));
        } else if (auto* verdicts = std::get_if<Verdicts>(&transfer->payload)) {
            answer(head.id, head.from, std::move(*verdicts));
        } else if (auto* ack = std::get_if<Ack>(&transfer->payload)) {
            answer(head.id, head.from, std::move(*ack));
        } else {
            throw std::logic_error("a malformed answer: " + stanza);
        }
    } else {
        const auto& tag = *std::get<TagStanza>(events.at(0)).tag;
        answer(head_of(tag).id, head_of(tag).from, read_error(tag));
    }
    pump();
}

}  // namespace simulation
