#include "component/incoming/mirror_receiver.hpp"

#include "component/incoming/transfer_answer.hpp"
#include "component/protocol/mirror_codec.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

namespace component {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLookedUp = 4;  // domains of one request at once
// By then an organisation that has asked as often as it may has its whole allowance again.
constexpr auto kWhole = std::chrono::hours(1);

Standing standing_of(const Authorisation& found) {
    using Doubt = Authorisation::Doubt;
    if (found.answer == Authorisation::Answer::yes) return Standing::verified;
    switch (found.doubt) {
        case Doubt::unacknowledged:
            return Standing::unacknowledged;
        case Doubt::disputed:
            return Standing::disputed;
        case Doubt::no_server:
            return Standing::no_server;
        case Doubt::unreachable:
            return Standing::unreachable;
        case Doubt::later:
            break;
    }
    return Standing::later;
}

/// As mail of that domain is refused, but in words of ours alone.
StanzaError refusal_of(const std::string& peer, const std::string& domain, Standing standing) {
    if (standing == Standing::later) return busy("too many domains are being looked up");
    if (standing == Standing::unreachable) return unverified(domain + " can't be asked now");
    return not_authorised(
        fmt::format("{} does not speak for {} ({})", peer, domain, to_text(standing)));
}

}  // namespace

/// One request. Shared by who looks its domains up and who answers in time.
struct MirrorReceiver::Look {
    Look(const base::asio::any_io_executor& executor, std::shared_ptr<TransferAnswer> answer_once,
         base::SteadyPoint since)
        : answer(std::move(answer_once)), began(since), ended(executor) {}
    bool is_authorised() const { return seen.front().standing == Standing::verified; }

    std::shared_ptr<TransferAnswer> answer;
    std::vector<Mirrored::Seen> seen;  ///< as far as it is known
    base::SteadyPoint began;
    base::OneShot<bool> ended;
};

MirrorReceiver::MirrorReceiver(base::asio::any_io_executor executor, Link& link,
                               const Discovery& discovery, TransferJudge& judge,
                               const base::Clock& clock)
    : executor_(executor),
      link_(link),
      discovery_(discovery),
      judge_(judge),
      clock_(clock),
      tasks_(executor) {}

std::chrono::seconds MirrorReceiver::ask(const std::string& peer) {
    constexpr base::Rate kRate{kInAnHour, kAtOnce};
    constexpr base::Rate kStrangersRate{kStrangersInAnHour, kStrangersAtOnce};
    const auto now = clock_.steady();
    const auto whose = mail::Organisation::of(peer);
    const base::TokenBucket* const known = asked_.find(whose, now);
    base::TokenBucket bucket = known == nullptr ? base::TokenBucket() : *known;
    const bool stranger = !discovery_.is_correspondent(peer);
    std::chrono::seconds wait = bucket.wait(kRate, now);
    if (stranger) wait = std::max(wait, strangers_.wait(kStrangersRate, now));
    if (wait > 0s) return wait;
    bucket.add(1, kRate, now);
    if (stranger) strangers_.add(1, kStrangersRate, now);
    asked_.put(whose, bucket, now + kWhole);
    return 0s;
}

void MirrorReceiver::take(std::shared_ptr<TransferAnswer> answer_once, IncomingMirror request) {
    if (const auto wait = ask(answer_once->peer()); wait > 0s) {
        StanzaError error = busy("this was asked too often");
        error.retry_after = wait;
        return answer_once->fail(error);
    }
    auto shared = std::make_shared<Look>(executor_, std::move(answer_once), clock_.steady());
    for (auto& domain : request.domains)
        shared->seen.push_back({std::move(domain), Standing::later});
    tasks_.spawn("mirror looks", [this, shared] { return look(shared); });
    tasks_.spawn("mirror", [this, shared] { return answer(shared); });
}

base::Task<void> MirrorReceiver::look(std::shared_ptr<Look> look) {
    const std::function<base::Task<void>(std::size_t)> one =
        [&](std::size_t i) -> base::Task<void> {
        // Nobody hears any more of what is begun too late.
        if (clock_.steady() - look->began >= kLookTime) co_return;
        const mail::Domain domain = look->seen[i].domain;
        const Authorisation found = co_await judge_.verify(look->answer->peer(), domain);
        look->seen[i].standing = standing_of(found);
    };
    // A stranger causes one look-up, as with mail.
    co_await one(0);
    const std::function<base::Task<void>(std::size_t)> others = [&](std::size_t i) {
        return one(i + 1);
    };
    const std::size_t rest = look->is_authorised() ? look->seen.size() - 1 : 0;
    co_await base::for_each(rest, kLookedUp, others);
    look->ended.set(true);
}

base::Task<void> MirrorReceiver::answer(std::shared_ptr<Look> look) {
    co_await look->ended.wait(kLookTime);
    if (!look->is_authorised()) {
        const Mirrored::Seen& first = look->seen.front();
        look->answer->fail(refusal_of(look->answer->peer(), first.domain.ascii(), first.standing));
        co_return;
    }
    const ComponentSettings& ours = link_.settings();
    Mirrored mirrored;
    mirrored.assurance = ours.assurance;
    mirrored.max_size = ours.max_size;
    mirrored.max_stanza = ours.max_stanza;
    mirrored.time = clock_.now();
    // It is more if the machine has slept.
    mirrored.took = std::min<std::chrono::milliseconds>(clock_.steady() - look->began, kMirrorTook);
    mirrored.domains = look->seen;
    look->answer->give(encode_mirrored(mirrored));
}

}  // namespace component
