#include "queue/peers/promise_looks.hpp"

namespace queue {

PromiseLooks::PromiseLooks(base::asio::any_io_executor executor, PromiseBook& book,
                           const BadPeers& peers, const base::Clock& clock, Reread reread,
                           Broken broken)
    : executor_(executor),
      book_(book),
      peers_(peers),
      clock_(clock),
      reread_(std::move(reread)),
      broken_(std::move(broken)),
      tasks_(executor) {}

void PromiseLooks::look(LaneQuestion question, Tell tell) {
    base::asio::post(executor_,
                     [this, question = std::move(question), tell = std::move(tell)]() mutable {
                         begin(std::move(question), std::move(tell));
                     });
}

void PromiseLooks::begin(LaneQuestion question, Tell tell) {
    const mail::Domain domain = question.sender;
    if (!book_.stands(domain, question.recipient)) return tell(PromiseFinding::none);
    if (const auto known = recent(domain)) return answer(question, tell, *known);
    if (!looks_.contains(domain) && looks_.size() < kLooks && !stopping_) start(domain);
    const auto found = looks_.find(domain);
    const bool waits = found != looks_.end() && !found->second->is_late && lookers_ < kLookers;
    if (!waits) return answer(question, tell, PromiseFinding::unconfirmed);
    ++lookers_;
    found->second->waiting.push_back({std::move(question), std::move(tell)});
}

std::optional<PromiseFinding> PromiseLooks::recent(const mail::Domain& domain) const {
    const auto found = recent_.find(domain);
    if (found == recent_.end()) return std::nullopt;
    const auto age = clock_.steady() - found->second.at;
    const bool is_confirmed = found->second.finding == PromiseFinding::confirmed;
    if (age >= (is_confirmed ? kConfirmedFor : kUnconfirmedFor)) return std::nullopt;
    return found->second.finding;
}

void PromiseLooks::answer(const LaneQuestion& question, const Tell& tell, PromiseFinding finding) {
    if (finding != PromiseFinding::none) broken_(question, finding);
    tell(finding);
}

void PromiseLooks::start(const mail::Domain& domain) {
    auto look = std::make_shared<Look>(executor_);
    look->begun = clock_.steady();
    looks_.emplace(domain, look);
    look->patience.start(kLookPatience, [this, domain, look] {
        look->is_late = true;
        tell_all(domain, *look, PromiseFinding::unconfirmed);
    });
    tasks_.spawn("promise", [this, domain, look] { return run(domain, look); });
}

base::Task<void> PromiseLooks::run(mail::Domain domain, std::shared_ptr<Look> look) {
    co_await reread_(domain);
    look->patience.cancel();
    PromiseFinding finding = PromiseFinding::none;
    if (book_.find(domain) != nullptr) {
        const auto confirmed = book_.confirmed(domain);
        const bool is_fresh = confirmed && *confirmed >= look->begun;
        finding = is_fresh ? PromiseFinding::confirmed : PromiseFinding::unconfirmed;
    }
    tell_all(domain, *look, finding);
    looks_.erase(domain);
}

void PromiseLooks::tell_all(const mail::Domain& domain, Look& look, PromiseFinding finding) {
    if (finding == PromiseFinding::none)
        recent_.erase(domain);
    else
        recent_[domain] = {finding, clock_.steady()};
    if (recent_.size() > kPromises) recent_.clear();
    std::vector<Waiting> waiting = std::exchange(look.waiting, {});
    lookers_ -= waiting.size();
    for (const Waiting& each : waiting) {
        // It may not bind it towards this domain of ours any more.
        const bool stands = book_.stands(domain, each.question.recipient);
        answer(each.question, each.tell, stands ? finding : PromiseFinding::none);
    }
}

void PromiseLooks::renew() {
    if (stopping_) return;
    const auto domain = book_.due();
    if (!domain || looks_.contains(*domain)) return;
    tasks_.spawn("renew promise", [this, domain = *domain] { return reread_(domain); });
}

base::Task<void> PromiseLooks::stop() {
    stopping_ = true;
    co_await tasks_.join();
}

}  // namespace queue
