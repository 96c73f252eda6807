#include "app/daemon/peer_answers.hpp"

#include "app/daemon/control_answers.hpp"
#include "app/json_text.hpp"
#include "app/log.hpp"
#include "queue/peer_class.hpp"

namespace app {

namespace json = boost::json;

namespace {

constexpr std::size_t kPage = 500;  // lines of one answer: some hundred kilobytes

/// `2026-12-01`
std::string date_of(std::chrono::sys_days day) {
    constexpr std::size_t kDate = 10;
    return base::to_datetime(day).substr(0, kDate);
}

json::object to_json(const queue::PeerFigures& figures) {
    return {{"messages", figures.messages},     {"recipients", figures.recipients},
            {"unknown", figures.unknown},       {"refused", figures.refused},
            {"complaints", figures.complaints}, {"bad", figures.bad()}};
}

/// Where the class comes from.
std::string made_by(const queue::PeerRecord& record, const std::optional<queue::Listing>& listing) {
    if (record.by_hand) return "hand";
    return listing && is_made_by_list(record) ? listing->by : "figures";
}

/// `domain`: that is asked about; its line may be another's.
json::object to_json(queue::Standing standing, const Daemon& daemon, const mail::Domain& domain) {
    const auto listing = daemon.lists().find(domain);
    if (listing) standing.record.listed = listing->makes;
    const queue::PeerRecord& record = standing.record;
    json::array periods;
    for (const auto& period : record.periods())
        periods.push_back(to_json(period));
    return {{"domain", standing.domain},
            {"class", queue::to_text(class_of(record))},
            {"by_hand", record.by_hand.has_value()},
            {"by", made_by(record, listing)},
            {"set_at", standing.set_at ? base::to_datetime(*standing.set_at) : ""},
            {"since", date_of(standing.since)},
            {"last", date_of(standing.last)},
            {"days", record.days()},
            {"total", to_json(record.total())},
            {"periods", std::move(periods)},
            {"weighed_bad", record.bad()},
            {"weighed_recipients", record.recipients()}};
}

json::object to_json(const component::ClassGate::Usage& usage) {
    json::object all{{"put_off", usage.put_off}, {"refused", usage.refused}};
    for (const component::PeerCount what : component::kPeerCounts) {
        const auto i = static_cast<std::size_t>(what);
        const auto& limit = usage.limits.at(i);
        if (!limit) continue;
        all[to_text(what)] = json::object{
            {"an_hour", *limit}, {"at_once", usage.at_once.at(i)}, {"used", usage.used.at(i)}};
    }
    return all;
}

/// What its class means.
json::object to_json(const component::ClassGate::Standing& standing) {
    const component::ClassRule& rule = standing.rule;
    return {{"refuse", rule.refuse},
            {"assurance", component::to_text(rule.assurance)},
            {"max_size", rule.max_size ? json::value(*rule.max_size) : json::value()},
            {"of_organisation", to_json(standing.own)},
            {"of_class", to_json(standing.of_all)}};
}

}  // namespace

std::chrono::sys_days today(Daemon& daemon) {
    return queue::day_of(daemon.clock_trust().look().corrected(base::SystemClock().now()));
}

base::Task<json::object> answer_peers(Daemon& daemon, json::object asked) {
    queue::ListStandings question{today(daemon), text_of(asked, "after"), kPage};
    const auto page = co_await daemon.reader().ask(std::move(question));
    if (!page) co_return refusal(page.error().text);
    json::array peers;
    for (const auto& standing : *page) {
        if (const auto domain = mail::Domain::parse(standing.domain))
            peers.push_back(to_json(standing, daemon, *domain));
    }
    json::object answer{{"ok", true}, {"peers", std::move(peers)}};
    if (page->size() == kPage) answer["after"] = page->back().domain;
    co_return answer;
}

base::Task<json::object> answer_peer(Daemon& daemon, std::string text) {
    auto domain = mail::Domain::parse(text);
    if (!domain) co_return not_understood(text + ": " + domain.error().text);
    const auto now = today(daemon);
    queue::FindStanding question{now, *domain};
    auto found = co_await daemon.reader().ask(std::move(question));
    if (!found) co_return refusal(found.error().text);
    const bool is_in_book = found->has_value();
    if (!is_in_book) *found = queue::Standing{domain->ascii(), now, now, {now, now}};
    queue::PeerRecord record = (*found)->record;
    const auto listing = daemon.lists().find(*domain);
    if (listing) record.listed = listing->makes;
    const auto standing = daemon.gate().look(class_of(record), *domain);
    // What was only put off, or refused, has no line in the book.
    const bool is_counted = standing.own.put_off > 0 || standing.own.refused > 0;
    if (!is_in_book && !listing && !is_counted)
        co_return refusal(domain->ascii() + ": nothing is known of this domain");
    json::object peer = to_json(**found, daemon, *domain);
    peer["is_in_book"] = is_in_book;
    json::array days;
    for (const auto& [day, figures] : (*found)->days) {
        json::object row{{"day", date_of(day)}};
        for (const auto& [key, value] : to_json(figures))
            row[key] = value;
        days.push_back(std::move(row));
    }
    peer["by_day"] = std::move(days);
    peer["means"] = to_json(standing);
    co_return json::object{{"ok", true}, {"peer", std::move(peer)}};
}

base::Task<json::object> answer_set_peer(Daemon& daemon, json::object asked) {
    const std::string text = text_of(asked, "domain");
    auto domain = mail::Domain::parse(text);
    if (!domain) co_return not_understood(text + ": " + domain.error().text);
    const std::string word = text_of(asked, "class");
    std::optional<queue::PeerClass> by_hand;
    if (!word.empty()) {
        const auto parsed = queue::parse_class_by_hand(word);
        if (!parsed) co_return not_understood(parsed.error().text);
        by_hand = *parsed;
    }
    const std::string name = domain->ascii();
    queue::SetPeerClass set{std::move(*domain), by_hand};
    const auto done = co_await daemon.storage().write(std::move(set));
    if (!done) co_return refusal(done.error().text);
    log::peer_class_set(name, word);
    co_return json::object{{"ok", true}, {"domain", name}};
}

base::Task<json::object> answer_forget_peer(Daemon& daemon, std::string text) {
    auto domain = mail::Domain::parse(text);
    if (!domain) co_return not_understood(text + ": " + domain.error().text);
    const std::string name = domain->ascii();
    queue::ForgetStanding forget{std::move(*domain)};
    const auto done = co_await daemon.storage().write(std::move(forget));
    if (!done) co_return refusal(done.error().text);
    log::peer_forgotten(name);
    co_return json::object{{"ok", true}, {"domain", name}};
}

}  // namespace app
