#include "component/stream/session.hpp"

#include "base/crash_point.hpp"
#include "component/log.hpp"
#include "component/stream/disco_info.hpp"
#include "component/xml/namespaces.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>

namespace component {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using std::chrono::milliseconds;

constexpr auto kFinishTime = 2s;         // for our last words at a clean stop
constexpr auto kTellLeftOut = 15s;       // between looks at what the log has left out
constexpr auto kStableTime = 10s;        // a stream that lived so long starts the backoff anew
constexpr std::size_t kTroubled = 1000;  // peers, and organisations with announcements
constexpr std::size_t kPresences = 50;   // sent at a time, so that many peers are no burst ...
constexpr auto kPresencePause = 100ms;   // ... with this between them
constexpr int kAnnouncements = 20;       // presences of one organisation that count, within ...
constexpr auto kAnnounceTime = 60s;      // ... this time: each may send mail to it again
// Of what answers may fill, an organisation's part: a stranger's, and one's that is known.
constexpr std::size_t kStrangerShare = base::limits::kStrangerBacklog / 2;
constexpr std::size_t kPeerShare = base::limits::kAnswerBacklog / 4;

/// No word of the peer itself: its server, ours or the time-out spoke.
bool is_silence(const IqReply& reply) {
    if (std::holds_alternative<NoAnswer>(reply)) return true;
    const auto* error = std::get_if<StanzaError>(&reply);
    return error != nullptr && error->ours.empty();
}

}  // namespace

Session::Session(base::asio::any_io_executor executor, ComponentSettings settings,
                 base::Clock& clock, base::Random& random)
    : executor_(executor),
      settings_(std::move(settings)),
      clock_(clock),
      random_(random),
      tasks_(executor),
      wake_(executor),
      stopped_(executor),
      log_limiter_(clock) {
    auto jid = Jid::parse(settings_.jid);
    if (!jid || !jid->is_domain())
        throw std::invalid_argument("not a component's name: " + settings_.jid);
    settings_.jid = jid->domain();
    std::array<std::uint8_t, 8> bytes{};
    random_.fill(bytes);
    for (const auto byte : bytes)
        id_prefix_ += fmt::format("{:02x}", byte);
}

Session::~Session() = default;

void Session::start() {
    if (std::exchange(started_, true)) return;
    tasks_.spawn("session " + settings_.jid, [this] { return run(); });
    tasks_.spawn("left out " + settings_.jid, [this] { return tell_left_out(); });
}

base::Task<void> Session::stop() {
    stopping_ = true;
    if (status_.established) {
        for (const auto& peer : peers_ ? peers_() : std::vector<std::string>()) {
            if (auto gone = write_presence(settings_.jid, peer, "unavailable"))
                (void)send(std::move(*gone));
        }
        const auto stream = stream_;
        co_await stream->finish(kFinishTime);
    }
    if (stream_) stream_->close();
    fail_pending(base::fail(Errc::closed, "we are stopping"));
    wake_.notify();
    stopped_.notify();
    co_await tasks_.join();
}

base::Task<void> Session::run() {
    milliseconds backoff = base::limits::kReconnectFirst;
    while (!stopping_) {
        const auto stream = std::make_shared<Stream>(executor_, settings_);
        stream_ = stream;
        auto opened = co_await stream->open();
        const auto up_at = std::chrono::steady_clock::now();
        base::Error why{};
        // A server that is down does not mind being asked, and its peers wait for our return.
        const bool nobody_there = !opened && opened.error().code == Errc::io;
        if (opened && !stopping_) {
            went_up();
            why = co_await serve(stream);
            if (std::chrono::steady_clock::now() - up_at > kStableTime)
                backoff = base::limits::kReconnectFirst;
        } else if (!opened) {
            why = opened.error();
        }
        stream->close();
        went_down(why);
        if (stopping_) break;
        const milliseconds pause = nobody_there ? base::limits::kReconnectFirst : backoff;
        const milliseconds wait =
            pause / 2 + milliseconds(random_.below(static_cast<std::uint64_t>(pause.count())));
        if (log_limiter_.admit(settings_.jid, why.text))
            log::link_down(settings_.jid, server(), why.text, wait);
        co_await wake_.wait(wait);
        if (!nobody_there)
            backoff = std::min<milliseconds>(backoff * 2, base::limits::kReconnectMost);
    }
}

base::Task<base::Error> Session::serve(std::shared_ptr<Stream> stream) {
    while (true) {
        auto events = co_await stream->read();
        if (!events) co_return events.error();
        for (auto& event : *events)
            on_event(std::move(event));
    }
}

void Session::went_up() {
    status_ = {true, clock_.now(), clock_.steady(), {}};
    log::link_up(settings_.jid, server());
    tasks_.spawn("announce", [this] { return announce(); });
    if (on_established_) on_established_();
}

void Session::went_down(const base::Error& error) {
    if (status_.established || !status_.since) {
        status_.since = clock_.now();
        status_.steady_since = clock_.steady();
    }
    status_.established = false;
    status_.last_error = error.text;
    fail_pending(error);
}

void Session::retire(bool retired) {
    // They look again at what we serve.
    if (std::exchange(settings_.retired, retired) != retired) look_again();
}

void Session::look_again() {
    if (status_.established) tasks_.spawn("announce", [this] { return announce(); });
}

void Session::greet(const std::string& peer) {
    auto presence = write_presence(settings_.jid, peer, {});
    if (presence && status_.established) (void)stream_->send(std::move(*presence));
}

base::Task<void> Session::announce() {
    const auto peers = peers_ ? peers_() : std::vector<std::string>();
    const auto stream = stream_;
    std::size_t sent = 0;
    for (const auto& peer : peers) {
        auto presence = write_presence(settings_.jid, peer, {});
        if (stream != stream_ || stopping_) break;
        if (!presence || !stream->send(std::move(*presence))) continue;
        if (++sent % kPresences == 0) co_await base::sleep_for(kPresencePause);
    }
}

base::Task<void> Session::tell_left_out() {
    while (!stopping_) {
        co_await stopped_.wait(kTellLeftOut);
        for (const auto& lines : log_limiter_.take_left_out())
            log::left_out(settings_.jid, lines);
    }
}

base::Task<IqReply> Session::request(std::string to, std::string type, std::string payload,
                                     milliseconds limit) {
    const base::TaskGroup::Member member(tasks_);
    const auto unsent = [](base::Error error) { return NoAnswer{std::move(error), false}; };
    auto jid = Jid::parse(to);
    if (!jid) co_return unsent(jid.error());
    if (!established() || stopping_)
        co_return unsent(base::fail(Errc::closed, "there is no link to " + server()));
    if (pending_.size() >= base::limits::kPendingIqs)
        co_return unsent(base::fail(Errc::busy, "too many requests wait for an answer"));
    const std::string id = next_id();
    auto stanza = write_iq({type, id, settings_.jid, jid->full()}, payload);
    if (!stanza) co_return unsent(stanza.error());
    base::crash_point("session.before-request");
    auto sent = stream_->send(std::move(*stanza));
    base::crash_point("session.request-written");
    if (!sent) co_return unsent(sent.error());
    payload = {};

    base::OneShot<IqReply> answer(executor_);
    pending_.emplace(id, Pending{*jid, &answer, std::chrono::steady_clock::now()});
    auto reply = co_await answer.wait(limit);
    pending_.erase(id);
    base::crash_point("session.answered");
    if (!reply) reply = NoAnswer{base::fail(Errc::timeout, "no answer from " + to), true};
    note_trouble(jid->bare(), *reply);
    co_return std::move(*reply);
}

std::vector<std::string> Session::unanswered(milliseconds time) const {
    const auto before = std::chrono::steady_clock::now() - time;
    std::set<std::string> peers;
    for (const auto& [id, pending] : pending_) {
        if (pending.since <= before) peers.insert(pending.to.bare());
    }
    return {peers.begin(), peers.end()};
}

void Session::give_up_on(const std::string& peer, milliseconds time) {
    const auto before = std::chrono::steady_clock::now() - time;
    const auto lost = base::fail(Errc::timeout, peer + " has answered newer requests");
    for (auto& [id, pending] : pending_) {
        if (pending.since <= before && pending.to.bare() == peer)
            pending.answer->set(NoAnswer{lost, true});
    }
}

base::Result<void> Session::send(std::string stanza) {
    if (!stream_) return base::fail(Errc::closed, "there is no link to " + server());
    base::crash_point("session.before-answer");
    auto sent = stream_->send(std::move(stanza), base::limits::kAnswerBacklog);
    base::crash_point("session.answer-written");
    return sent;
}

bool Session::answer_stranger(const std::string& peer, const base::Result<std::string>& answer) {
    if (!answer || answer->empty() || !stream_) return false;
    const auto jid = Jid::parse(peer);
    const std::string name = jid ? jid->domain() : peer;
    const bool known = is_known(name);
    if (stream_->backlog() == 0) answered_.clear();
    const auto whose = mail::Organisation::of(name);
    const auto before = answered_.find(whose);
    const std::size_t answers = answer->size() + (before == answered_.end() ? 0 : before->second);
    base::Result<void> sent = base::fail(Errc::busy, "its share is used up");
    if (answers <= (known ? kPeerShare : kStrangerShare))
        sent = stream_->send(*answer,
                             known ? base::limits::kAnswerBacklog : base::limits::kStrangerBacklog);
    if (sent) answered_.insert_or_assign(whose, answers);
    if (!sent && sent.error().code == Errc::busy)
        log::stanza_dropped(log_limiter_, settings_.jid, peer,
                            "too much waits to be written for an answer to it");
    return sent.has_value();
}

void Session::on_event(XmlEvent event) {
    if (auto* transfer = std::get_if<TransferStanza>(&event))
        return on_transfer(std::move(*transfer));
    if (const auto* refused = std::get_if<RefusedStanza>(&event)) return on_refused(*refused);
    auto* stanza = std::get_if<TagStanza>(&event);
    if (stanza == nullptr) return;
    const std::shared_ptr<const gloox::Tag> tag(std::move(stanza->tag));
    on_stanza(*tag, tag);
}

void Session::on_stanza(const gloox::Tag& stanza, std::shared_ptr<const gloox::Tag> kept) {
    const IqHead head = head_of(stanza);
    if (!is_ours(head.to))
        return log::stanza_dropped(log_limiter_, settings_.jid, head.from, "it is not for us");
    if (head.type != "error")
        peer_is_alive(head.from, stanza.name() == "presence" && head.type.empty());
    if (stanza.name() == "message") return on_message(stanza);
    if (stanza.name() != "iq") return;
    if (head.type == "result") return on_answer(head, TagResult{std::move(kept)});
    if (head.type == "error") return on_answer(head, read_error(stanza));
    on_request(stanza, head);
}

void Session::on_request(const gloox::Tag& iq, const IqHead& head) {
    const auto from = Jid::parse(head.from);
    const auto to = Jid::parse(head.to);
    // Only a component promises, and is promised, anything.
    const bool among_components = from && from->is_domain() && to && to->is_domain();
    const bool reads_form = among_components && head.type == "get" && asks_for_info(iq);
    if (!says_ || !reads_form) {
        answer_stranger(head.from, answer_iq(iq, settings_));
        return;
    }
    ComponentSettings settings = settings_;
    settings.promise = says_();
    const bool promised = settings.promise && !settings.retired;
    // Who gets no answer has read nothing, neither of a promise nor of its end.
    if (answer_stranger(head.from, answer_iq(iq, settings))) told_(from->domain(), promised);
}

void Session::on_refused(const RefusedStanza& stanza) {
    log::stanza_dropped(log_limiter_, settings_.jid, stanza.head.from, stanza.why);
    if (stanza.name != "iq" || !is_ours(stanza.head.to)) return;
    if (stanza.head.type == "result" || stanza.head.type == "error")
        return on_answer(stanza.head, Malformed{stanza.why});
    if (stanza.head.type != "get" && stanza.head.type != "set") return;
    answer_stranger(
        stanza.head.from,
        write_error("iq", stanza.head, {"modify", "policy-violation", {}, {}, stanza.why}));
}

void Session::on_transfer(TransferStanza stanza) {
    const auto to = Jid::parse(stanza.head.to);
    if (!is_ours(stanza.head.to))
        return log::stanza_dropped(log_limiter_, settings_.jid, stanza.head.from,
                                   "it is not for us");
    peer_is_alive(stanza.head.from, false);
    if (stanza.head.type == "result") {
        if (auto* verdicts = std::get_if<Verdicts>(&stanza.payload))
            return on_answer(stanza.head, std::move(*verdicts));
        if (auto* ack = std::get_if<Ack>(&stanza.payload))
            return on_answer(stanza.head, std::move(*ack));
        if (auto* mirrored = std::get_if<Mirrored>(&stanza.payload))
            return on_answer(stanza.head, std::move(*mirrored));
        auto* malformed = std::get_if<Malformed>(&stanza.payload);
        return on_answer(stanza.head, malformed != nullptr ? std::move(*malformed)
                                                           : Malformed{"a request in a result"});
    }
    if (stanza.head.from.empty() || stanza.head.id.empty()) return;
    const bool is_new = std::holds_alternative<IncomingBatch>(stanza.payload) ||
                        std::holds_alternative<IncomingOpen>(stanza.payload);
    if (transfer_handler_ != nullptr && to->is_domain() && !(settings_.retired && is_new))
        return transfer_handler_->on_transfers(std::move(stanza.head), std::move(stanza.payload));
    answer_stranger(stanza.head.from,
                    write_error("iq", stanza.head, {"cancel", "service-unavailable", {}, {}, {}}));
}

void Session::on_answer(const IqHead& head, IqReply reply) {
    const auto found = pending_.find(head.id);
    const auto from = Jid::parse(head.from);
    if (found == pending_.end() || !from || *from != found->second.to)
        return log::stanza_dropped(log_limiter_, settings_.jid, head.from,
                                   "it answers nothing that was asked of it");
    found->second.answer->set(std::move(reply));
}

void Session::on_message(const gloox::Tag& message) {
    const IqHead head = head_of(message);
    const bool wants_answer = head.type.empty() || head.type == "normal" || head.type == "chat";
    if (!wants_answer || head.from.empty()) return;
    log::stanza_dropped(log_limiter_, settings_.jid, head.from, "nobody reads messages here");
    answer_stranger(head.from,
                    write_error("message", head, {"cancel", "service-unavailable", {}, {}, {}}));
}

bool Session::is_ours(const std::string& to) const {
    const auto jid = Jid::parse(to);
    return jid && jid->domain() == settings_.jid;
}

void Session::peer_is_alive(const std::string& from, bool by_presence) {
    if (!by_presence && troubled_.empty()) return;
    const auto jid = Jid::parse(from);
    if (!jid || !jid->local().empty()) return;
    const std::string peer = jid->bare();
    if (!is_known(peer)) return;
    const bool was_troubled = troubled_.erase(peer) > 0;
    if (by_presence && !may_announce(peer)) return;
    if (by_presence) {
        // Its stream is a new one: what the old one was asked, nobody will answer any more. To ask
        // again is harmless, as every request of ours may be repeated.
        const auto began_anew = base::fail(Errc::closed, peer + " began anew");
        for (auto& [id, pending] : pending_) {
            if (pending.to.bare() == peer) pending.answer->set(NoAnswer{began_anew, true});
        }
    }
    if ((by_presence || was_troubled) && on_presence_) on_presence_(peer);
}

bool Session::may_announce(const std::string& peer) {
    const auto now = clock_.steady();
    const auto whose = mail::Organisation::of(peer);
    if (announcements_.size() >= kTroubled && !announcements_.contains(whose))
        std::erase_if(announcements_,
                      [&](const auto& item) { return now - item.second.since >= kAnnounceTime; });
    if (announcements_.size() >= kTroubled && !announcements_.contains(whose)) return false;
    Announcements& heard = announcements_[whose];
    if (now - heard.since >= kAnnounceTime) heard = {now, 0};
    return ++heard.count <= kAnnouncements;
}

void Session::note_trouble(const std::string& peer, const IqReply& reply) {
    if (!is_silence(reply)) {
        troubled_.erase(peer);
    } else if (is_known(peer)) {
        troubled_.insert_or_assign(peer, std::chrono::steady_clock::now());
        // Those that nothing is sent to any more are the oldest.
        if (troubled_.size() > kTroubled)
            troubled_.erase(std::ranges::min_element(troubled_, {},
                                                     [](const auto& item) { return item.second; }));
    }
}

void Session::fail_pending(const base::Error& error) {
    for (auto& [id, pending] : pending_)
        pending.answer->set(NoAnswer{error, true});
}

std::string Session::next_id() {
    return fmt::format("{}-{}", id_prefix_, ++ids_);
}

std::string Session::server() const {
    return fmt::format("{}:{}", settings_.host, settings_.port);
}

}  // namespace component
