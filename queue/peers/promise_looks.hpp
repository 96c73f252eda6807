// PromiseLooks: whether a promise stands at this moment: before mail is refused because of it, the
// domain's form is read afresh.
//
// Whoever asks is told after kLookPatience at the latest: what has not been read by then is
// unconfirmed. Anybody can cause looks, by mail that names a promised domain: a domain is looked at
// once at a time, and so many domains are. Event loop, but for the port's functions; never throws.
//
// Tested by tests/unit/queue/peers/promise_looks_test.cpp.
#pragma once

#include "base/task_group.hpp"
#include "queue/peers/bad_peers.hpp"
#include "queue/peers/promise_book.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <vector>

namespace queue {

/// Mail waits so long for the answer.
inline constexpr std::chrono::seconds kLookPatience{10};
/// What a look has found holds so long for other mail.
inline constexpr std::chrono::seconds kConfirmedFor{10};
inline constexpr std::chrono::seconds kUnconfirmedFor{60};
/// Domains that are looked at at the same time, and mails that wait for that.
inline constexpr std::size_t kLooks = 20;
inline constexpr std::size_t kLookers = 1000;

class PromiseLooks final : public ClosedLane {
  public:
    /// Reads the form of a domain, over a link that is verified, if there is one: the book hears of
    /// it before this returns.
    using Reread = std::function<base::Task<void>(mail::Domain)>;
    /// Mail has come by SMTP although it was promised not to; also if that could not be confirmed.
    using Broken = std::function<void(const LaneQuestion&, PromiseFinding)>;

    /// All have to outlive it.
    PromiseLooks(base::asio::any_io_executor executor, PromiseBook& book, const BadPeers& peers,
                 const base::Clock& clock, Reread reread, Broken broken);

    bool concerns(const mail::Domain& sender, const mail::Domain& recipient) const override {
        return book_.concerns(sender, recipient);
    }
    void look(LaneQuestion question, Tell tell) override;
    PeerClass class_against(const mail::Domain& sender) const override {
        return peers_.class_against(sender);
    }

    /// Has the form that is due read again, if there is one. Every minute or so.
    void renew();
    /// Waits for looks that are under way: after the sessions have stopped, which ends these.
    base::Task<void> stop();
    std::size_t under_way() const { return tasks_.running(); }

  private:
    struct Waiting {
        LaneQuestion question;
        Tell tell;
    };
    struct Look {
        explicit Look(const base::asio::any_io_executor& executor) : patience(executor) {}
        base::SteadyPoint begun{};
        std::vector<Waiting> waiting;
        base::Timer patience;
        bool is_late = false;
    };
    struct Recent {
        PromiseFinding finding = PromiseFinding::none;
        base::SteadyPoint at{};
    };

    void begin(LaneQuestion question, Tell tell);
    void answer(const LaneQuestion& question, const Tell& tell, PromiseFinding finding);
    void start(const mail::Domain& domain);
    base::Task<void> run(mail::Domain domain, std::shared_ptr<Look> look);
    void tell_all(const mail::Domain& domain, Look& look, PromiseFinding finding);
    std::optional<PromiseFinding> recent(const mail::Domain& domain) const;

    base::asio::any_io_executor executor_;
    PromiseBook& book_;
    const BadPeers& peers_;
    const base::Clock& clock_;
    Reread reread_;
    Broken broken_;
    std::map<mail::Domain, std::shared_ptr<Look>> looks_;
    std::map<mail::Domain, Recent> recent_;  ///< of promised domains only: no more than the book
    std::size_t lookers_ = 0;
    base::TaskGroup tasks_;
    bool stopping_ = false;
};

}  // namespace queue
