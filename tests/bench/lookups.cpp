// Asks a socketmap what Postfix would ask it, over many kept connections, each with one question at
// a time, and prints one JSON object about the answers.
//
//   bench_lookups --to HOST:PORT [--connections N] [--seconds S] [--rate N] [--known DOMAIN]
//
// `--rate` answers a second in all, 0 for as many as there are. Every other question is for a
// domain that is known to take mail over XMPP, the rest for others, of which each comes back now
// and then.
#include "bench/client.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace bench;
using Clock = std::chrono::steady_clock;

struct Answers {
    std::vector<float> ms;
    std::size_t known = 0;
};

std::string question(const std::string& domain) {
    const std::string text = "route " + domain;
    return std::to_string(text.size()) + ":" + text + ",";
}

Answers ask(const Options& options, std::size_t connection, Clock::time_point until) {
    Answers answers;
    Line line(connect_to(options.text("to", "")));
    const auto connections = options.number("connections", 20);
    const auto rate = options.number("rate", 0);
    const auto pause =
        rate == 0
            ? Clock::duration::zero()
            : Clock::duration(std::chrono::nanoseconds(1'000'000'000ull * connections / rate));
    auto due =
        Clock::now() + pause * static_cast<long>(connection) / static_cast<long>(connections);
    const std::string known = question(options.text("known", "b.test"));
    for (std::size_t i = connection;; ++i) {
        if (rate > 0) std::this_thread::sleep_until(due);
        const auto began = Clock::now();
        if (began >= until) return answers;
        const bool asks_known = i % 2 == 0;
        line.send(asks_known ? known : question("d" + std::to_string(i % 997) + ".example"));
        const std::string answer(line.read_netstring());
        if (asks_known && !answer.starts_with("OK ")) die("a known domain got " + answer);
        answers.known += asks_known ? 1 : 0;
        // From when it should have been asked: a late question waited, too.
        answers.ms.push_back(std::chrono::duration<float, std::milli>(
                                 Clock::now() - (rate > 0 ? std::min(due, began) : began))
                                 .count());
        due += pause;
    }
}

}  // namespace

int main(int argc, char** argv) {
    const Options options(argc, argv, {});
    const auto seconds = options.number("seconds", 5);
    const auto connections = options.number("connections", 20);
    std::vector<Answers> all(connections);
    std::vector<std::thread> threads;
    const auto began = Clock::now();
    const auto until = began + std::chrono::seconds(seconds);
    for (std::size_t i = 0; i < connections; ++i)
        threads.emplace_back([&, i] { all[i] = ask(options, i, until); });
    for (auto& thread : threads)
        thread.join();
    const double took = std::chrono::duration<double>(Clock::now() - began).count();
    std::vector<float> ms;
    for (const auto& answers : all)
        ms.insert(ms.end(), answers.ms.begin(), answers.ms.end());
    if (ms.empty()) die("no answers");
    std::ranges::sort(ms);
    const auto at = [&](double q) {
        return ms[std::min(ms.size() - 1,
                           static_cast<std::size_t>(q * static_cast<double>(ms.size())))];
    };
    std::printf("{\"answers\": %zu, \"rate\": %.0f, \"p50_ms\": %.4f, \"p99_ms\": %.4f}\n",
                ms.size(), static_cast<double>(ms.size()) / took, at(0.5), at(0.99));
}
