// The benchmark's two ends in one program: it sends mails over kept sessions, takes them at the
// other end of the chain, and prints one JSON object about how long they took.
//
//   bench_load --to HOST:PORT --sink HOST:PORT [--lmtp] [--sink-lmtp] [--sessions N] [--messages N]
//              [--size BYTES] [--kind text|html|base64] [--from A] [--rcpt A] [--first N]
//              [--pause-ms N]
//              [--no-wait] [--only-sink SECONDS]
//
// Blocking sockets and a thread for each connection: cheap enough to be no part of what is
// measured. The sink answers each mail, as a server does that has taken it, and keeps none.
#include "bench/client.hpp"
#include "bench/mails.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace bench;
using Clock = std::chrono::steady_clock;

struct Results {
    explicit Results(std::uint64_t first_number, std::uint64_t count)
        : first(first_number), sent(count), accepted(count), arrived(count), times(count) {}

    void note(std::uint64_t number) {
        if (number < first || number - first >= times.size()) {
            ++strangers;
            return;
        }
        if (times[number - first].fetch_add(1) > 0) {
            ++doubled;
            return;
        }
        arrived[number - first] = Clock::now();
        ++got;
        if (got == times.size()) done = true;
    }

    std::uint64_t first;
    std::vector<Clock::time_point> sent;
    std::vector<Clock::time_point> accepted;
    std::vector<Clock::time_point> arrived;
    std::vector<std::atomic<int>> times;
    std::atomic<std::uint64_t> got = 0;
    std::atomic<std::uint64_t> doubled = 0;
    std::atomic<std::uint64_t> strangers = 0;
    std::atomic<bool> done = false;
};

void serve(int fd, bool lmtp, Results& results) {
    Line line(fd);
    std::string out = lmtp ? "220 sink LMTP\r\n" : "220 sink ESMTP\r\n";
    std::string_view text;
    std::size_t recipients = 0;
    for (;;) {
        if (!line.has_more() && !out.empty()) {
            if (!line.send(out)) return;
            out.clear();
        }
        if (!line.read(text)) return;
        const std::string verb(text.substr(0, 4));
        if (verb == "EHLO" || verb == "LHLO") {
            out +=
                "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250 SIZE "
                "0\r\n";
        } else if (verb == "RCPT") {
            ++recipients;
            out += "250 2.1.5 ok\r\n";
        } else if (verb == "QUIT") {
            line.send(out + "221 bye\r\n");
            return;
        } else if (verb == "DATA") {
            if (!line.send(out + "354 go\r\n")) return;
            out.clear();
            std::uint64_t number = UINT64_MAX;
            while (line.read(text) && text != ".") {
                if (text.starts_with("X-Bench: "))
                    number = std::strtoull(text.data() + 9, nullptr, 10);
            }
            results.note(number);
            for (std::size_t i = 0; i < (lmtp ? recipients : 1); ++i)
                out += "250 2.0.0 taken\r\n";
            recipients = 0;
        } else {
            if (verb == "MAIL" || verb == "RSET") recipients = 0;
            out += "250 2.0.0 ok\r\n";
        }
    }
}

void listen_at(const std::string& where, bool lmtp, Results& results) {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto address = address_of(where);
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener, 500) != 0)
        die("can't listen on " + where);
    std::thread([listener, lmtp, &results] {
        for (;;) {
            const int fd = ::accept(listener, nullptr, nullptr);
            if (fd < 0) die("accept");
            std::thread(serve, fd, lmtp, std::ref(results)).detach();
        }
    }).detach();
}

std::string stuffed(const std::string& content) {
    // The mails have no line that begins with a dot.
    return content + ".\r\n";
}

class Sender {
  public:
    Sender(const Options& options, Results& results, const std::vector<std::string>& mails)
        : options_(options), results_(results), mails_(mails), lmtp_(options.has("lmtp")) {}

    void run(std::atomic<std::uint64_t>& next) {
        const auto pause = options_.number("pause-ms", 0);
        Line line(connect_to(options_.text("to", "")));
        expect(line, "220");
        line.send(lmtp_ ? "LHLO bench.test\r\n" : "EHLO bench.test\r\n");
        expect(line, "250");
        const std::string envelope = "MAIL FROM:<" + options_.text("from", "") + ">\r\nRCPT TO:<" +
                                     options_.text("rcpt", "") + ">\r\nDATA\r\n";
        bool begun = false;  // the envelope has been sent behind the mail before
        for (auto i = next.fetch_add(1); i < mails_.size();) {
            results_.sent[i] = Clock::now();
            if (!begun) line.send(envelope);
            expect(line, "250");
            expect(line, "250");
            expect(line, "354");
            const auto following = next.fetch_add(1);
            begun = pause == 0 && following < mails_.size();
            // RFC 2920 3.1: the content may be followed by the next commands.
            line.send(begun ? stuffed(mails_[i]) + envelope : stuffed(mails_[i]));
            expect(line, "250");
            results_.accepted[i] = Clock::now();
            if (pause > 0) std::this_thread::sleep_for(std::chrono::milliseconds(pause));
            i = following;
        }
        line.send("QUIT\r\n");
    }

  private:
    static void expect(Line& line, std::string_view code) {
        std::string_view text;
        do {
            if (!line.read(text)) die("the connection was closed");
            if (!text.starts_with(code))
                die("expected " + std::string(code) + ", got " + std::string(text));
        } while (text.size() > 3 && text[3] == '-');
    }

    const Options& options_;
    Results& results_;
    const std::vector<std::string>& mails_;
    bool lmtp_;
};

double ms(Clock::duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

double quantile(std::vector<double> values, double q) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    return values[std::min(values.size() - 1,
                           static_cast<std::size_t>(q * static_cast<double>(values.size())))];
}

void report(const Results& results, Clock::time_point began) {
    Clock::time_point last_accepted = began;
    Clock::time_point last_arrived = began;
    Clock::time_point first_arrived = Clock::time_point::max();
    std::vector<double> latencies;
    std::vector<double> intakes;
    for (std::size_t i = 0; i < results.sent.size(); ++i) {
        last_accepted = std::max(last_accepted, results.accepted[i]);
        intakes.push_back(ms(results.accepted[i] - results.sent[i]));
        if (results.times[i] == 0) continue;
        last_arrived = std::max(last_arrived, results.arrived[i]);
        first_arrived = std::min(first_arrived, results.arrived[i]);
        latencies.push_back(ms(results.arrived[i] - results.sent[i]));
    }
    std::printf(
        "{\"messages\": %zu, \"arrived\": %llu, \"doubled\": %llu, \"strangers\": %llu, "
        "\"accepted_ms\": %.3f, "
        "\"arrived_ms\": %.3f, \"drain_ms\": %.3f, \"latency_p50_ms\": %.3f, \"latency_p99_ms\": "
        "%.3f, \"latency_max_ms\": %.3f, \"intake_p50_ms\": %.3f, \"intake_p99_ms\": %.3f, "
        "\"intake_max_ms\": %.3f}\n",
        results.sent.size(), static_cast<unsigned long long>(results.got.load()),
        static_cast<unsigned long long>(results.doubled.load()),
        static_cast<unsigned long long>(results.strangers.load()), ms(last_accepted - began),
        ms(last_arrived - began), ms(last_arrived - std::min(first_arrived, last_arrived)),
        quantile(latencies, 0.5), quantile(latencies, 0.99), quantile(latencies, 1),
        quantile(intakes, 0.5), quantile(intakes, 0.99), quantile(intakes, 1));
    std::fflush(stdout);
}

bench::Kind kind_of(const std::string& text) {
    return text == "base64" ? bench::Kind::base64
           : text == "html" ? bench::Kind::html
                            : bench::Kind::text;
}

}  // namespace

int main(int argc, char** argv) {
    const Options options(argc, argv, {"lmtp", "sink-lmtp", "no-wait", "only-sink"});
    const auto count = options.number("messages", 1000);
    const auto first = options.number("first", 1);
    Results results(first, count);
    std::vector<std::string> mails;
    if (!options.has("only-sink")) {
        const Options& o = options;
        for (std::uint64_t i = 0; i < count; ++i)
            mails.push_back(bench::make_mail(kind_of(o.text("kind", "text")),
                                             o.number("size", 4096), first + i, o.text("from", ""),
                                             o.text("rcpt", "")));
    }
    if (options.has("sink")) listen_at(options.text("sink", ""), options.has("sink-lmtp"), results);
    std::printf("ready\n");
    std::fflush(stdout);
    if (std::getchar() == EOF)
        return 1;  // the benchmark says when, and looks at the clocks of the others before
    const auto began = Clock::now();
    std::atomic<std::uint64_t> next = 0;
    std::vector<std::thread> threads;
    if (!options.has("only-sink")) {
        for (std::uint64_t i = 0; i < options.number("sessions", 20); ++i)
            threads.emplace_back([&] { Sender(options, results, mails).run(next); });
    }
    for (auto& thread : threads)
        thread.join();
    const auto patience = std::chrono::seconds(options.number("seconds", 120));
    while (options.has("sink") && !results.done && Clock::now() - began < patience)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    report(results, began);
    std::_Exit(0);
}
