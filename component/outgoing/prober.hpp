// Prober: asks peers that mail waits for in vain whether they are there again.
//
// A peer that starts anew says so itself. A cut of the network restarts nobody: so each silent peer
// gets one small <status/> at a time, every few seconds at first and every minute in the end, apart
// from the retries of the mail that waits. One that gave a sign of life and is silent all the same
// is asked several times within the next seconds: our server's own way to it needs a moment more.
// Event loop only; owns a plan for each such peer, bounded by those that the queue names. Never
// throws.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/task_group.hpp"
#include "component/stream/link.hpp"
#include "mail/organisation.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace component {

struct ProberSettings {
    std::chrono::milliseconds first = std::chrono::seconds(5);  ///< between the first two probes
    std::chrono::milliseconds most = std::chrono::seconds(60);  ///< between two at the most
    std::chrono::milliseconds soon{250};  ///< as `first`, of a peer that gave a sign of life ...
    std::chrono::milliseconds expected = std::chrono::seconds(5);  ///< ... no longer ago than this
};

class Prober {
  public:
    struct Target {
        Link* link = nullptr;
        std::string peer;
    };
    /// `silent`: whom to ask. `back`: who has answered.
    Prober(base::asio::any_io_executor executor, ProberSettings settings, const base::Clock& clock,
           base::Random& random, std::function<std::vector<Target>()> silent,
           std::function<void(const std::string& peer)> back);

    void start();
    /// `peer`, which is known, gave a sign of life.
    void expect(const std::string& peer);
    /// Asks nobody any more, and waits for what is under way: after Session::stop(), which ends it.
    base::Task<void> stop();

  private:
    struct Plan {
        std::chrono::milliseconds wait{};
        base::SteadyPoint next{};
        bool under_way = false;
        bool overtaken = false;  ///< it gave a sign of life since it was asked
        std::optional<mail::Organisation> whose{};
    };

    base::Task<void> run();
    void look();
    base::Task<void> probe(Target target, std::chrono::milliseconds limit);
    std::string question(const Link& link);

    base::asio::any_io_executor executor_;
    ProberSettings settings_;
    const base::Clock& clock_;
    base::Random& random_;
    std::function<std::vector<Target>()> silent_;
    std::function<void(const std::string&)> back_;
    std::map<std::string, Plan> plans_;                  ///< by peer
    std::map<std::string, base::SteadyPoint> expected_;  ///< and until when
    std::size_t under_way_ = 0;
    std::map<mail::Organisation, std::size_t> of_organisation_;  ///< of these
    base::Signal wake_;
    base::TaskGroup tasks_;
    bool stopping_ = false;
};

}  // namespace component
