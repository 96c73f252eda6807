#include "component/discovery/domain_owners.hpp"

#include "component/log.hpp"

#include <algorithm>

namespace component {
namespace {

using namespace std::chrono_literals;

// Less than the hand-over waits, so that it hears of what there is.
constexpr auto kLookUpTime = 2500ms;
constexpr std::size_t kKept = 10'000;  // owners; those go first that are out of date first
// How long an owner is kept: as the records' TTL says, within these bounds. The resolver's own
// cache makes it cheap to ask again, and nobody is to wait for longer until a new policy is heeded.
constexpr std::chrono::seconds kKeptLeast = 1min;
constexpr std::chrono::seconds kKeptMost = 1h;
// Names without a record: what the zone says of that is not read.
constexpr std::chrono::seconds kAbsentKept = 10min;
constexpr std::size_t kWaitingOfOne = 2;  // hand-overs of one organisation's mail
// A domain that the DNS did not tell of, as far as that goes.
constexpr std::chrono::seconds kUnknownKept = 1min;
// Whose look-ups take so long is not waited for again ...
constexpr auto kSlow = 1s;
// ... for so long: what a stranger costs those whose mail stands behind theirs is then at most
// kOwnersTime in that time, on kWaitingOfOne deliveries.
constexpr auto kSlowFor = 1min;

constexpr const char* kPrefix = "_dmarc.";  // RFC 9989 4.10

}  // namespace

DomainOwners::DomainOwners(base::asio::any_io_executor executor, base::Clock& clock,
                           std::unique_ptr<TextResolver> resolver)
    : executor_(executor),
      clock_(clock),
      resolver_(std::move(resolver)),
      tasks_(executor),
      kept_(kKept) {}

const mail::DomainOwner* DomainOwners::known(const mail::Domain& domain) const {
    return kept_.find(domain, clock_.steady());
}

bool DomainOwners::may_wait(const mail::Organisation& cause) const {
    const auto slow = slow_.find(cause);
    const bool is_slow = slow != slow_.end() && clock_.steady() < slow->second;
    return !stopping_ && !is_slow && waiting_.size() < kWaiting &&
           waiting_.count(cause) < kWaitingOfOne;
}

base::Task<std::vector<mail::DomainOwner>> DomainOwners::find(std::vector<mail::Domain> domains,
                                                              mail::Organisation cause) {
    const base::TaskGroup::Member member(tasks_);
    std::vector<mail::Domain> missing;
    std::ranges::copy_if(domains, std::back_inserter(missing),
                         [this](const mail::Domain& domain) { return known(domain) == nullptr; });
    if (!missing.empty() && may_wait(cause)) {
        const auto place = waiting_.insert(cause);
        co_await wait_for(std::move(missing), std::move(cause));
        waiting_.erase(place);
    }
    std::vector<mail::DomainOwner> owners;
    owners.reserve(domains.size());
    for (const auto& domain : domains) {
        const mail::DomainOwner* const owner = known(domain);
        owners.push_back(owner != nullptr ? *owner : mail::DomainOwner::by_public_suffix(domain));
    }
    co_return owners;
}

base::Task<void> DomainOwners::wait_for(std::vector<mail::Domain> domains,
                                        mail::Organisation cause) {
    const auto since = clock_.steady();
    const auto waiting = std::make_shared<Wait>(executor_);
    waiting->left = domains.size();
    for (const auto& domain : domains) {
        const auto [flight, is_new] = flights_.try_emplace(domain);
        flight->second.push_back(waiting);
        if (is_new) tasks_.spawn("owner", [this, domain] { return look_up(domain); });
    }
    co_await waiting->ended.wait(kOwnersTime);
    const auto now = clock_.steady();
    if (now - since < kSlow) co_return;
    std::erase_if(slow_, [now](const auto& each) { return each.second <= now; });
    slow_[cause] = now + kSlowFor;
    log::owners_slow(cause.name(),
                     std::chrono::duration_cast<std::chrono::milliseconds>(now - since));
}

base::Task<void> DomainOwners::look_up(mail::Domain domain) {
    std::vector<std::string> names = mail::dmarc_walk(domain);
    for (auto& name : names)
        name.insert(0, kPrefix);
    const auto texts = co_await resolver_->find_texts(std::move(names), kLookUpTime);
    std::vector<mail::DmarcAnswer> answers;
    answers.reserve(texts.size());
    std::chrono::seconds time = kKeptMost;
    for (const auto& text : texts) {
        answers.push_back({text.known, mail::DmarcRecord::only_one(text.texts)});
        time = std::min(time, !text.known          ? kUnknownKept
                              : text.texts.empty() ? kAbsentKept
                                                   : text.ttl);
    }
    kept_.put(domain, mail::DomainOwner::by_walk(domain, answers),
              clock_.steady() + std::max(time, kKeptLeast));
    // Waiters may have given up meanwhile.
    const auto flight = flights_.extract(domain);
    for (const auto& waiting : flight.mapped()) {
        if (--waiting->left == 0) waiting->ended.set(true);
    }
}

base::Task<void> DomainOwners::stop() {
    stopping_ = true;
    co_await tasks_.join();
}

}  // namespace component
