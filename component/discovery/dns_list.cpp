#include "component/discovery/dns_list.hpp"

#include "component/log.hpp"

#include <algorithm>
#include <chrono>

namespace component {
namespace {

using namespace std::chrono_literals;
using Meaning = ListAnswers::Meaning;

constexpr auto kTime = 2000ms;  // for an answer
// How long an answer is fresh: as its TTL says, within these bounds (RFC 5782 4).
constexpr std::chrono::seconds kFreshLeast = 1min;
constexpr std::chrono::seconds kFreshMost = 1h;
// Names that are not on it: what the zone says of that is not read.
constexpr std::chrono::seconds kAbsentFresh = 10min;
// Then it counts for a while longer, until a new one is there.
constexpr std::chrono::seconds kOld = 1h;
// A list that was silent is left alone.
constexpr auto kRest = 1min;
constexpr auto kTestEvery = 5min;
// What has mail refused for good is believed of a list that behaved so lately.
constexpr auto kTestFresh = 1min;
// One that does not behave as a list.
constexpr auto kTestAgain = 5min;

constexpr const char* kNeverListed = "invalid";  // RFC 5782 5

}  // namespace

std::vector<std::string> DnsList::take_names(const mail::Domain& domain) {
    const mail::Organisation whose = mail::Organisation::of(domain.ascii());
    if (!is_tested_ || clock_.steady() < rests_until_ || domain.is_address_literal() ||
        whose_.size() >= kAsking || whose_.count(whose) >= kAskingOfOne)
        return {};
    std::vector<std::string> names{domain.ascii()};
    // Praise is for a name only.
    if (whose.name() != domain.ascii() && settings_.makes != queue::PeerClass::good)
        names.push_back(whose.name());
    std::erase_if(names, [this](const std::string& name) {
        return asking_.contains(name) || lists_.is_fresh(settings_.zone, name);
    });
    if (names.empty()) return {};
    whose_.insert(whose);
    asking_.insert(names.begin(), names.end());
    return names;
}

base::Task<void> DnsList::look_up(std::vector<std::string> names, mail::Organisation whose) {
    std::vector<std::string> questions;
    questions.reserve(names.size());
    for (const auto& name : names)
        questions.push_back(name + "." + settings_.zone);
    const auto answers = co_await resolver_.find_addresses(std::move(questions), kTime);
    const bool blocks = std::ranges::any_of(
        answers, [this](const AddressAnswer& answer) { return is_refusal(answer); });
    if (blocks && is_tested_ && !has_behaved_lately() && !std::exchange(is_testing_, true))
        co_await test();
    for (std::size_t i = 0; i < names.size(); ++i) {
        asking_.erase(names[i]);
        // Not if the one before has shown that it can't be believed.
        if (is_tested_) hear(names[i], answers.at(i));
    }
    whose_.erase(whose_.find(whose));
}

bool DnsList::is_refusal(const AddressAnswer& answer) const {
    return settings_.makes == queue::PeerClass::blocked && answer.known &&
           settings_.answers.of(answer.addresses) == Meaning::listed;
}

bool DnsList::has_behaved_lately() const {
    return behaved_at_ && clock_.steady() - *behaved_at_ <= kTestFresh;
}

void DnsList::hear(const std::string& name, const AddressAnswer& answer) {
    if (!answer.known) return note_silence();
    const Meaning meaning = settings_.answers.of(answer.addresses);
    if (meaning == Meaning::fault)
        return note_misbehaviour("it answers that it does not serve us (127.255.255.x, 127.0.0.1)");
    // It is asked again with the next mail.
    if (is_refusal(answer) && !has_behaved_lately()) return;
    std::optional<queue::PeerClass> makes;
    if (meaning == Meaning::listed) makes = settings_.makes;
    const auto fresh =
        std::clamp(answer.addresses.empty() ? kAbsentFresh : answer.ttl, kFreshLeast, kFreshMost);
    const auto now = clock_.steady();
    lists_.heard(settings_.zone, name, makes, now + fresh, now + fresh + kOld);
    note_answer();
}

bool DnsList::take_test() {
    if (is_testing_ || clock_.steady() < test_at_) return false;
    is_testing_ = true;
    return true;
}

base::Task<void> DnsList::test() {
    std::vector<std::string> questions{settings_.test + "." + settings_.zone,
                                       std::string(kNeverListed) + "." + settings_.zone};
    const auto answers = co_await resolver_.find_addresses(std::move(questions), kTime);
    is_testing_ = false;
    if (is_retired_) co_return;
    if (!answers.at(0).known || !answers.at(1).known) {
        note_silence();
        test_at_ = clock_.steady() + kRest;
        co_return;
    }
    const Meaning listed = settings_.answers.of(answers[0].addresses);
    const Meaning absent = settings_.answers.of(answers[1].addresses);
    if (absent == Meaning::listed) {
        note_misbehaviour("it lists \"invalid\", and so everything");
    } else if (listed == Meaning::fault || absent == Meaning::fault) {
        note_misbehaviour("it answers that it does not serve us (127.255.255.x, 127.0.0.1)");
    } else if (listed != Meaning::listed) {
        note_misbehaviour("it does not list \"" + settings_.test + "\", its test entry");
    } else {
        is_tested_ = true;
        behaved_at_ = clock_.steady();
        test_at_ = clock_.steady() + kTestEvery;
        note_answer();
    }
}

void DnsList::retire() {
    is_retired_ = true;
    is_tested_ = false;
    lists_.forget(settings_.zone);
}

void DnsList::note_silence() {
    rests_until_ = clock_.steady() + kRest;
    say("it does not answer");
}

void DnsList::note_misbehaviour(const std::string& why) {
    is_tested_ = false;
    test_at_ = clock_.steady() + kTestAgain;
    lists_.forget(settings_.zone);
    say(why);
}

void DnsList::note_answer() {
    rests_until_ = {};
    say("");
}

void DnsList::say(const std::string& trouble) {
    if (trouble_ == trouble) return;
    trouble_ = trouble;
    if (trouble.empty())
        log::dns_list_used(settings_.zone);
    else
        log::dns_list_unused(settings_.zone, trouble);
}

}  // namespace component
