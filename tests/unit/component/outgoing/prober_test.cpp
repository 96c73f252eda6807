#include "component/outgoing/prober.hpp"

#include "support/component/doubles.hpp"
#include "support/run_until.hpp"

#include <catch2/catch.hpp>

using namespace component;
using namespace doubles;
using namespace std::chrono_literals;

namespace {

struct Probing {
    explicit Probing(ProberSettings settings = {50ms, 200ms, 50ms, 1s}) : with(settings) {
        link.script = [this](const ScriptedLink::Asked& asked) -> IqReply {
            asked_at.push_back(time.elapsed());
            last = asked;
            return answer;
        };
        prober.start();
    }
    ~Probing() {
        support::run<bool>(io, [this]() -> base::Task<bool> {
            co_await prober.stop();
            co_return true;
        });
    }
    void run_until(const std::function<bool()>& condition) { support::run_until(io, condition); }

    ProberSettings with;
    boost::asio::io_context io;
    support::VirtualTime time{io};
    support::SeededRandom random;
    ScriptedLink link;
    IqReply answer = NoAnswer{base::fail(base::Errc::timeout, "no answer"), true};
    std::vector<Prober::Target> silent{{&link, "mail.b.test"}};
    std::vector<std::string> back;
    std::vector<std::chrono::milliseconds> asked_at;  ///< since the start
    ScriptedLink::Asked last;
    Prober prober{io.get_executor(),
                  with,
                  time,
                  random,
                  [this] { return silent; },
                  [this](const std::string& peer) {
                      back.push_back(peer);
                      silent.clear();
                  }};
};

}  // namespace

TEST_CASE("However many names of one domain are silent, others are asked, too") {
    Probing probing;
    probing.link.takes = 50ms;
    probing.silent.clear();
    for (int i = 0; i < 300; ++i)
        probing.silent.push_back({&probing.link, fmt::format("a{}.evil.test", i)});
    probing.silent.push_back({&probing.link, "mail.b.test"});
    std::size_t evil = 0;
    const auto is_b = [](const ScriptedLink::Asked& asked) { return asked.to == "mail.b.test"; };
    probing.run_until([&] {
        evil = probing.link.asked.size();
        return std::ranges::any_of(probing.link.asked, is_b);
    });
    CHECK(evil < 50);
}

TEST_CASE("a silent peer is asked again and again, less and less often, until it answers") {
    Probing probing;
    probing.run_until([&] { return probing.asked_at.size() == 5; });
    CHECK(probing.back.empty());
    CHECK(probing.last.to == "mail.b.test");
    CHECK(probing.last.type == "get");
    CHECK(probing.last.payload.find("<status ") == 0);
    // It looks every 10 ms.
    const auto pause = [&](std::size_t i) { return probing.asked_at[i] - probing.asked_at[i - 1]; };
    CHECK((pause(1) >= 50ms && pause(1) <= 60ms));
    CHECK((pause(2) >= 100ms && pause(2) <= 110ms));
    CHECK((pause(3) >= 200ms && pause(3) <= 210ms));
    CHECK((pause(4) >= 200ms && pause(4) <= 210ms));

    const auto key = queue::TransferKey{*mail::Domain::parse("mail.a.test"), "probe0000"};
    probing.answer = Verdicts{{key, Verdict::State::unknown, {}, {}, 0, 0}};
    probing.run_until([&] { return !probing.back.empty(); });
    CHECK(probing.back == std::vector<std::string>{"mail.b.test"});
}

TEST_CASE("its own refusal is a sign of life, too; what its server says is none") {
    Probing probing;
    probing.answer = StanzaError{"cancel", "remote-server-not-found", {}, {}, {}};
    probing.run_until([&] { return probing.asked_at.size() == 2; });
    CHECK(probing.back.empty());
    probing.answer = StanzaError{"wait", "resource-constraint", "busy", {}, {}};
    probing.run_until([&] { return !probing.back.empty(); });
}

TEST_CASE("nobody is asked while nothing waits") {
    Probing probing;
    probing.silent.clear();
    probing.time.advance(1h);
    CHECK(probing.asked_at.empty());
}

TEST_CASE("one that gave a sign of life is asked soon, as only the way to it may be slow") {
    Probing probing({10s, 20s, 20ms, 1s});
    probing.prober.expect("mail.b.test");
    probing.run_until([&] { return probing.asked_at.size() == 3; });
    CHECK(probing.asked_at[1] - probing.asked_at[0] >= 20ms);
    CHECK(probing.asked_at[2] - probing.asked_at[1] >= 40ms);
    CHECK(probing.asked_at[2] - probing.asked_at[0] < 100ms);
}

TEST_CASE("a sign of life counts for those that were asked before, too") {
    Probing probing({500ms, 20s, 20ms, 1s});
    probing.run_until([&] { return probing.asked_at.size() == 1; });
    const auto before = probing.time.elapsed();
    probing.prober.expect("mail.b.test");
    probing.run_until([&] { return probing.asked_at.size() == 3; });
    // It would have been 1.5 s.
    CHECK(probing.asked_at[2] - before < 100ms);
}
