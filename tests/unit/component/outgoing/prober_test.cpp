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
            asked_at.push_back(std::chrono::steady_clock::now());
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
    support::SeededRandom random;
    ScriptedLink link;
    IqReply answer = NoAnswer{base::fail(base::Errc::timeout, "no answer"), true};
    std::vector<Prober::Target> silent{{&link, "mail.b.test"}};
    std::vector<std::string> back;
    std::vector<std::chrono::steady_clock::time_point> asked_at;
    ScriptedLink::Asked last;
    Prober prober{io.get_executor(), with, random, [this] { return silent; },
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
    const auto began = std::chrono::steady_clock::now();
    Probing probing;
    probing.run_until([&] { return probing.asked_at.size() == 5; });
    CHECK(probing.back.empty());
    CHECK(probing.last.to == "mail.b.test");
    CHECK(probing.last.type == "get");
    CHECK(probing.last.payload.find("<status ") == 0);
    // Never before 50 ms, 100 ms more, then 200 ms more each time: a busy machine's clock may be
    // late, and what is late once makes the next one seem early.
    const auto after = [&](std::size_t i) { return probing.asked_at[i] - began; };
    CHECK(after(1) >= 50ms);
    CHECK(after(2) >= 150ms);
    CHECK(after(3) >= 350ms);
    CHECK(after(4) >= 550ms);

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
    const auto until = std::chrono::steady_clock::now() + 200ms;
    while (std::chrono::steady_clock::now() < until) {
        probing.io.restart();
        probing.io.run_one_for(20ms);
    }
    CHECK(probing.asked_at.empty());
}

TEST_CASE("one that gave a sign of life is asked soon, as only the way to it may be slow") {
    const auto began = std::chrono::steady_clock::now();
    Probing probing({10s, 20s, 20ms, 1s});
    probing.prober.expect("mail.b.test");
    probing.run_until([&] { return probing.asked_at.size() == 3; });
    CHECK(probing.asked_at[1] - began >= 20ms);
    CHECK(probing.asked_at[2] - began >= 60ms);
    CHECK(probing.asked_at[2] - probing.asked_at[0] < 5s);
}

TEST_CASE("a sign of life counts for those that were asked before, too") {
    Probing probing({500ms, 20s, 20ms, 1s});
    probing.run_until([&] { return probing.asked_at.size() == 1; });
    const auto before = std::chrono::steady_clock::now();
    probing.prober.expect("mail.b.test");
    probing.run_until([&] { return probing.asked_at.size() == 3; });
    // It would have been 1.5 s.
    CHECK(probing.asked_at[2] - before < 1s);
}
