// Process: one component's process in the simulation: its loop, its clock, its link, its discovery.
//
// All that it is dies with a crash. What it does to a disk or asks of the network takes virtual
// time, which World gives; a coroutine that waits for it when the process dies learns that the
// disk, or the link, is gone, so that everything unwinds, and nothing of it has any effect any
// more.
#pragma once

#include "base/clock_trust.hpp"
#include "component/discovery/discovery.hpp"
#include "component/stream/link.hpp"
#include "component/stream/xml_reader.hpp"
#include "support/fakes.hpp"
#include "timeline.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>

namespace simulation {

using namespace component;

mail::Domain domain(std::string_view text);

/// What the network says of domains, to everybody: disco#items and disco#info by entity.
struct Facts {
    std::map<std::string, std::string> items;
    std::map<std::string, std::string> infos;
    std::set<std::string> silent;  ///< these are never heard of
};

/// Everything outside of a process.
class Surroundings {
  public:
    virtual ~Surroundings() = default;
    virtual Timeline& timeline() = 0;
    virtual const Facts& facts() const = 0;
    virtual void transmit(const std::string& from, const std::string& to, std::string stanza) = 0;
};

/// The events of a stanza as it comes from a stream.
std::vector<XmlEvent> parse(const std::string& stanza);

/// What of the clock outlives a process, by the rules of queue/sqlite/store/store.
struct KeptClock {
    std::optional<base::TimePoint> believed_at{};
    base::TimePoint forget_from{};
};

class Process : public std::enable_shared_from_this<Process>, public Link {
  public:
    /// `skew`: how far its wall clock is ahead.
    Process(Surroundings& around, ComponentSettings settings, std::chrono::milliseconds skew,
            KeptClock& kept, std::uint64_t seed);
    ~Process() override;

    /// A durable step: true once its time has come, false if the process is dead by then.
    base::Task<bool> step();
    /// Runs what can run now.
    void pump();
    void die();
    bool alive() const { return alive_; }
    void set_time(std::int64_t now);

    /// Store::may_end_by_time() and Store::may_forget_verdicts().
    bool may_end_by_time();
    bool may_forget_verdicts();
    /// Store::latest_now().
    base::TimePoint latest_now() {
        return clock.now() + std::max(-trust_->look().by, std::chrono::milliseconds::zero());
    }
    std::uint64_t times_believed() { return trust_->look().times_believed; }

    /// What arrives for it.
    void deliver(const std::string& stanza);
    /// The answers that it still waits for.
    std::size_t waits() const { return pending_.size() + steps_.size(); }

    const ComponentSettings& settings() const override { return settings_; }
    bool established() const override { return alive_; }
    base::Task<IqReply> request(std::string to, std::string type, std::string payload,
                                std::chrono::milliseconds limit) override;
    base::Result<void> send(std::string stanza) override;
    void set_transfer_handler(TransferHandler* handler) override { handler_ = handler; }
    LogLimiter& log_limiter() override { return limiter_; }

    boost::asio::io_context io;
    support::ManualClock clock;
    support::SeededRandom random;
    std::unique_ptr<Discovery> discovery;

  private:
    IqReply disco(const std::string& to, const std::string& payload) const;
    void answer(const std::string& id, const std::string& from, IqReply reply);

    struct Pending {
        std::string to;
        base::OneShot<IqReply>* answer;
    };
    Surroundings& around_;
    ComponentSettings settings_;
    KeptClock& kept_;
    std::unique_ptr<base::ClockTrust> trust_;
    std::uint64_t accepted_ = 0;
    std::unique_ptr<queue::KnownPeers> book_;
    queue::RouteTable routes_;
    TransferHandler* handler_ = nullptr;
    LogLimiter limiter_{clock};
    std::map<std::string, Pending> pending_;
    std::set<base::OneShot<bool>*> steps_;
    bool alive_ = true;
};

}  // namespace simulation
