#include "component/outgoing/prober.hpp"

#include "component/protocol/error_table.hpp"
#include "component/protocol/transfer_codec.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace component {
namespace {

constexpr std::size_t kProbes = 50;         // probes under way, of all peers ...
constexpr std::size_t kOfOrganisation = 5;  // ... and of one organisation's

}  // namespace

Prober::Prober(base::asio::any_io_executor executor, ProberSettings settings,
               const base::Clock& clock, base::Random& random,
               std::function<std::vector<Target>()> silent,
               std::function<void(const std::string& peer)> back)
    : executor_(executor),
      settings_(settings),
      clock_(clock),
      random_(random),
      silent_(std::move(silent)),
      back_(std::move(back)),
      wake_(executor),
      tasks_(executor) {}

void Prober::start() {
    tasks_.spawn("prober", [this] { return run(); });
}

base::Task<void> Prober::stop() {
    stopping_ = true;
    wake_.notify();
    co_await tasks_.join();
}

void Prober::expect(const std::string& peer) {
    expected_.insert_or_assign(peer, clock_.steady() + settings_.expected);
    const auto plan = plans_.find(peer);
    if (plan != plans_.end() && plan->second.under_way)
        plan->second.overtaken = true;
    else if (plan != plans_.end())
        plans_.erase(plan);
    wake_.notify();
}

base::Task<void> Prober::run() {
    while (!stopping_) {
        look();
        co_await wake_.wait((expected_.empty() ? settings_.first : settings_.soon) / 5);
    }
}

void Prober::look() {
    const std::vector<Target> silent = silent_();
    std::set<std::string> names;
    for (const Target& target : silent)
        names.insert(target.peer);
    std::erase_if(plans_, [&](const auto& plan) {
        return !plan.second.under_way && !names.contains(plan.first);
    });
    const base::SteadyPoint now = clock_.steady();
    std::erase_if(expected_, [&](const auto& peer) { return peer.second <= now; });
    for (const Target& target : silent) {
        if (target.link == nullptr || !target.link->established()) continue;
        const auto [place, is_new] = plans_.try_emplace(target.peer);
        Plan& plan = place->second;
        if (is_new) {
            // It has just been tried. Not all at the same moment, if it was our own network.
            plan.whose = mail::Organisation::of(target.peer);
            plan.wait = expected_.contains(target.peer) ? settings_.soon : settings_.first;
            const auto spread = static_cast<std::uint64_t>(plan.wait.count() / 2);
            plan.next =
                now + plan.wait - std::chrono::milliseconds(spread > 0 ? random_.below(spread) : 0);
        }
        if (plan.under_way || plan.next > now || under_way_ >= kProbes) continue;
        std::size_t& of_same = of_organisation_[*plan.whose];
        if (of_same >= kOfOrganisation) continue;
        plan.under_way = true;
        ++under_way_;
        ++of_same;
        tasks_.spawn("probe", [this, target, limit = plan.wait] { return probe(target, limit); });
    }
}

base::Task<void> Prober::probe(Target target, std::chrono::milliseconds limit) {
    const base::SteadyPoint began = clock_.steady();
    std::string payload = question(*target.link);
    const IqReply reply =
        co_await target.link->request(target.peer, "get", std::move(payload), limit);
    --under_way_;
    Plan& plan = plans_.at(target.peer);
    const auto of_same = of_organisation_.find(*plan.whose);
    if (--of_same->second == 0) of_organisation_.erase(of_same);
    plan.under_way = false;
    if (plan.overtaken) {
        plans_.erase(target.peer);
        co_return;
    }
    plan.wait = std::min(plan.wait * 2, settings_.most);
    // An error of its server comes at once: that is no reason to ask sooner.
    plan.next = began + limit;
    if (stopping_ || !is_word_of_peer(reply)) co_return;
    plans_.erase(target.peer);
    back_(target.peer);
}

std::string Prober::question(const Link& link) {
    std::array<std::uint8_t, 16> bytes{};
    random_.fill(bytes);
    std::string id = "probe";
    for (const auto byte : bytes)
        id += fmt::format("{:02x}", byte);
    return encode_status({*mail::Domain::parse(link.settings().jid), std::move(id)});
}

}  // namespace component
