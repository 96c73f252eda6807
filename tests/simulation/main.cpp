// transfer_simulation [--seeds N] [--abuses N] [--first SEED] [--seed SEED] [--abuse SEED]: runs
// seeds one after the other, and hours of abuse behind them. One that breaks a property is told
// with its whole history, and the exit status is 1; --seed and --abuse replay one.
#include "simulation.hpp"

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <span>

#include <spdlog/spdlog.h>

namespace {

struct Options {
    std::uint64_t first = 1;
    std::uint64_t seeds = 1000;
    std::uint64_t abuses = 0;
    bool tell = false;
};

bool read(std::span<char*> words, Options& options) {
    for (std::size_t i = 1; i < words.size(); i += 2) {
        if (i + 1 == words.size()) return false;
        const std::uint64_t value = std::strtoull(words[i + 1], nullptr, 10);
        const std::string_view option = words[i];
        if (option == "--seeds") {
            options.seeds = value;
        } else if (option == "--abuses") {
            options.abuses = value;
        } else if (option == "--first") {
            options.first = value;
        } else if (option == "--seed") {
            options = {value, 1, 0, true};
        } else if (option == "--abuse") {
            options = {value, 0, 1, true};
        } else {
            return false;
        }
    }
    return true;
}

/// False, and the history on the standard output, if a property does not hold.
bool holds(const simulation::Report& report, simulation::Report (*again)(std::uint64_t, bool),
           std::uint64_t seed, const char* option) {
    if (report.broken.empty()) return true;
    std::cout << again(seed, true).history << "seed " << seed << ": " << report.broken
              << "\nreplay: transfer_simulation " << option << ' ' << seed << '\n';
    return false;
}

}  // namespace

int main(int count, char** words) {
    Options options;
    if (!read({words, static_cast<std::size_t>(count)}, options)) {
        std::cerr << "transfer_simulation [--seeds N] [--abuses N] [--first SEED] [--seed SEED] "
                     "[--abuse SEED]\n";
        return 2;
    }
    spdlog::set_level(options.tell ? spdlog::level::debug : spdlog::level::off);
    simulation::Report total;
    for (std::uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
        const auto report = simulation::run(seed, options.tell);
        if (!holds(report, simulation::run, seed, "--seed")) return 1;
        if (options.tell) std::cout << report.history;
        total.messages += report.messages;
        total.stanzas += report.stanzas;
        total.crashes += report.crashes;
        total.opens += report.opens;
        total.delivered += report.delivered;
        total.by_smtp += report.by_smtp;
        total.failed += report.failed;
        total.expired += report.expired;
    }
    if (options.seeds > 0)
        std::cout << "seeds " << options.seeds << " from " << options.first << ": "
                  << total.messages << " messages, " << total.opens << " opens, " << total.stanzas
                  << " stanzas, " << total.crashes << " crashes; recipients: " << total.delivered
                  << " delivered, " << total.by_smtp << " by SMTP, " << total.failed << " refused, "
                  << total.expired << " expired; nothing lost, nothing twice, nothing hangs\n";
    std::size_t requests = 0;
    for (std::uint64_t seed = options.first; seed < options.first + options.abuses; ++seed) {
        const auto report = simulation::abuse(seed, options.tell);
        if (!holds(report, simulation::abuse, seed, "--abuse")) return 1;
        if (options.tell) std::cout << report.history;
        requests += report.stanzas;
    }
    if (options.abuses > 0)
        std::cout << "abuse, " << options.abuses << " hours: " << requests
                  << " requests; nothing outlives its reason\n";
    return 0;
}
