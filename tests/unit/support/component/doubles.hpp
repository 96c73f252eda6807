// Doubles of the ports around component/: a network of scripted entities (Link), DNS, peer book,
// intake and recipient check; and short ways to make messages and read stanzas.
#pragma once

#include "component/discovery/discovery.hpp"
#include "component/protocol/transfer_codec.hpp"
#include "component/stream/disco_info.hpp"
#include "component/stream/link.hpp"
#include "component/stream/xml_reader.hpp"
#include "queue/ports.hpp"
#include "support/committed.hpp"
#include "support/fakes.hpp"

#include <cstdlib>
#include <deque>
#include <fstream>
#include <functional>
#include <list>

namespace doubles {

using namespace component;

inline mail::Domain domain(std::string_view text) {
    return *mail::Domain::parse(text);
}
inline mail::Mailbox mailbox(std::string_view text) {
    return *mail::Mailbox::parse(text);
}

/// For the test of the schema: each stanza of ours goes to a file of its own.
inline void keep_stanza(const std::string& stanza) {
    const char* folder = std::getenv("PACKETBOAT_STANZA_DIR");
    if (folder == nullptr) return;
    const auto name = std::hash<std::string>()(stanza);
    std::ofstream(fmt::format("{}/{:016x}.xml", folder, name)) << stanza;
}

/// Reads stanzas as they would arrive on a stream.
inline std::vector<XmlEvent> read(std::string_view stanzas) {
    XmlReader reader;
    REQUIRE(
        reader.parse("<stream:stream xmlns='jabber:component:accept' "
                     "xmlns:stream='http://etherx.jabber.org/streams' id='s1'>"));
    const auto parsed = reader.parse(stanzas);
    if (!parsed) FAIL(parsed.error().text + ": " + std::string(stanzas.substr(0, 300)));
    auto events = reader.take_events();
    events.erase(events.begin());
    return events;
}

inline TransferPayload read_payload(std::string_view payload, std::string_view type = "set") {
    const std::string stanza = fmt::format(
        "<iq type='{}' id='q1' from='mail.a.test' to='mail.b.test'>{}</iq>", type, payload);
    auto events = read(stanza);
    REQUIRE(events.size() == 1);
    REQUIRE(std::holds_alternative<TransferStanza>(events[0]));
    return std::move(std::get<TransferStanza>(events[0]).payload);
}

inline std::shared_ptr<const gloox::Tag> read_tag(std::string_view stanza) {
    auto events = read(stanza);
    REQUIRE(events.size() == 1);
    REQUIRE(std::holds_alternative<TagStanza>(events[0]));
    return std::move(std::get<TagStanza>(events[0]).tag);
}

inline IqReply result(std::string_view payload) {
    return TagResult{
        read_tag(fmt::format("<iq type='result' id='x' from='x' to='y'>{}</iq>", payload))};
}

inline mail::Envelope envelope(std::string_view from, const std::vector<std::string>& to) {
    mail::Envelope result;
    if (!from.empty()) result.from = mailbox(from);
    std::uint32_t n = 0;
    for (const auto& address : to)
        result.recipients.push_back({n++, mailbox(address), {}, {}});
    return result;
}

/// A link whose other end is a function; what is sent is kept.
class ScriptedLink final : public Link {
  public:
    struct Asked {
        std::string to, type, payload;
        std::chrono::milliseconds limit{};
    };
    ScriptedLink() {
        settings_.jid = "mail.a.test";
        settings_.domains = {domain("a.test")};
    }
    const ComponentSettings& settings() const override { return settings_; }
    bool established() const override { return up; }
    base::Task<IqReply> request(std::string to, std::string type, std::string payload,
                                std::chrono::milliseconds limit) override {
        const Asked question{to, type, payload, limit};
        asked.push_back(question);
        keep_stanza(*write_iq({type, "q1", settings_.jid, to}, payload));
        // A turn of the loop, as on a real link.
        co_await base::sleep_for(takes);
        co_return script(question);
    }
    base::Result<void> send(std::string stanza) override {
        keep_stanza(stanza);
        sent.push_back(std::move(stanza));
        return {};
    }
    void set_transfer_handler(TransferHandler* h) override { handler = h; }
    LogLimiter& log_limiter() override { return limiter; }

    ComponentSettings settings_;
    bool up = true;
    std::chrono::milliseconds takes{1};
    std::function<IqReply(const Asked&)> script = [](const Asked&) {
        return NoAnswer{base::fail(base::Errc::timeout, "no answer"), true};
    };
    std::vector<Asked> asked;
    std::vector<std::string> sent;
    TransferHandler* handler = nullptr;
    base::SystemClock clock;
    LogLimiter limiter{clock};
};

class ScriptedDns final : public Resolver {
  public:
    base::Task<SrvAnswer> find_server(mail::Domain name) override {
        ++asked;
        if (name.ascii().starts_with(held)) {
            auto& end = waiting.emplace_back(co_await base::asio::this_coro::executor);
            co_await end.wait(std::chrono::hours(1));
        }
        const auto found = answers.find(name.ascii());
        co_return found == answers.end() ? SrvAnswer::absent : found->second;
    }
    /// Answers what it has not so far.
    void let_go() {
        held = kNone;
        for (auto& end : waiting)
            end.set(true);
    }
    static constexpr std::string_view kNone = "-";
    std::string_view held = kNone;  ///< names that begin with this are not answered
    std::list<base::OneShot<bool>> waiting;
    std::map<std::string, SrvAnswer> answers;
    int asked = 0;
};

class MemoryKnownPeers final : public queue::KnownPeers {
  public:
    base::Task<base::Result<std::vector<queue::KnownPeer>>> load(std::optional<mail::Domain> after,
                                                                 std::size_t most) override {
        std::vector<queue::KnownPeer> some;
        auto at = after ? peers.upper_bound(after->ascii()) : peers.begin();
        for (; at != peers.end() && some.size() < most; ++at)
            some.push_back(at->second);
        largest_step = std::max(largest_step, some.size());
        co_return some;
    }
    base::Task<base::Result<void>> remember(queue::KnownPeer peer) override {
        peers.insert_or_assign(peer.domain.ascii(), peer);
        co_return base::Result<void>();
    }
    base::Task<base::Result<void>> forget(std::vector<mail::Domain> names) override {
        for (const auto& name : names)
            peers.erase(name.ascii());
        co_return base::Result<void>();
    }
    std::map<std::string, queue::KnownPeer> peers;
    std::size_t largest_step = 0;
};

/// What is heard of promises, and of verdicts: `a.test b.test`, one of b.test for mail of a.test.
struct HeardPromises final : queue::PromiseListener {
    void form_read(const queue::FormReading& reading) override { read.push_back(reading); }
    void verdict_given(const mail::Domain& name,
                       const std::set<mail::Domain>& recipients) override {
        for (const mail::Domain& recipient : recipients)
            verdicts.push_back(name.ascii() + " " + recipient.ascii());
    }
    std::vector<queue::FormReading> read;
    std::vector<std::string> verdicts;
};

/// A Discovery with everything around it, asking through a scripted network.
struct World {
    explicit World(std::set<std::string, std::less<>> ours = {}) : routes(ours) {
        DiscoverySettings settings;
        settings.ours = std::move(ours);
        auto scripted = std::make_unique<ScriptedDns>();
        dns = scripted.get();
        discovery = std::make_unique<Discovery>(io.get_executor(), settings, clock, random, book,
                                                routes, std::move(scripted));
        link.script = [this](const ScriptedLink::Asked& asked) { return answer(asked); };
    }
    IqReply answer(const ScriptedLink::Asked& asked) {
        const bool asks_items = asked.payload.find("disco#items") != std::string::npos;
        if (!asks_items && asked.payload.find("disco#info") == std::string::npos)
            return deliver(asked);
        const auto& answers = asks_items ? items : infos;
        const auto found = answers.find(asked.to);
        if (found == answers.end()) return StanzaError{"cancel", "service-unavailable", {}, {}, {}};
        if (found->second == "dead")
            return StanzaError{"cancel", "remote-server-not-found", {}, {}, {}};
        return result(found->second);
    }
    /// `mail.b.test` takes mail for these domains, and b.test lists it.
    void add_component(const std::string& jid, const std::vector<std::string>& domains) {
        ComponentSettings settings;
        settings.jid = jid;
        for (const auto& name : domains)
            settings.domains.push_back(domain(name));
        infos[jid] = disco_info_query(settings);
    }
    void list(const std::string& name, const std::vector<std::string>& jids) {
        dns->answers[name] = SrvAnswer::exists;
        std::string xml = "<query xmlns='http://jabber.org/protocol/disco#items'>";
        for (const auto& jid : jids)
            xml += "<item jid='" + jid + "'/>";
        items[name] = xml + "</query>";
    }
    void name(const std::string& host, const std::vector<std::string>& jids) {
        dns->answers[host] = SrvAnswer::exists;
        std::string xml =
            "<query xmlns='http://jabber.org/protocol/disco#info'><x xmlns='jabber:x:data' "
            "type='result'>"
            "<field var='FORM_TYPE' "
            "type='hidden'><value>http://jabber.org/network/serverinfo</value></field>"
            "<field var='mail-transfer-addresses' type='list-multi'>";
        for (const auto& jid : jids)
            xml += "<value>" + jid + "</value>";
        infos[host] = xml + "</field></x></query>";
    }
    void usual_peer() {
        list("b.test", {"mail.b.test", "rooms.b.test"});
        add_component("mail.b.test", {"b.test"});
    }
    Found find(const std::string& name) {
        return support::run<Found>(io, [&] { return discovery->find(link, domain(name)); });
    }
    Authorisation::Answer authorise(const std::string& jid, const std::string& name) {
        return support::run<Authorisation>(
                   io, [&] { return discovery->authorise(link, jid, domain(name)); })
            .answer;
    }

    boost::asio::io_context io;
    support::VirtualTime time{io};
    support::ManualClock clock;
    support::SeededRandom random;
    MemoryKnownPeers book;
    queue::RouteTable routes;
    ScriptedLink link;
    ScriptedDns* dns = nullptr;
    std::map<std::string, std::string> infos;
    std::map<std::string, std::string> items;
    std::function<IqReply(const ScriptedLink::Asked&)> deliver = [](const ScriptedLink::Asked&) {
        return NoAnswer{base::fail(base::Errc::timeout, "no answer"), true};
    };
    std::unique_ptr<Discovery> discovery;
};

}  // namespace doubles
