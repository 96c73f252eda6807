#include "app/daemon/control_answers.hpp"

#include "app/daemon/clock_answer.hpp"
#include "app/daemon/off_json.hpp"
#include "app/daemon/promise_json.hpp"
#include "app/daemon/selection_json.hpp"
#include "app/json_text.hpp"

#include <algorithm>

namespace app {

namespace json = boost::json;

namespace {

// Recipients of one answer: less than a megabyte on either side, however long the list is.
constexpr std::size_t kListPage = 1000;
constexpr std::size_t kRefusals = 100;  // lines of an answer that say why something can't be done

const char* to_text(component::Found::State state) {
    using State = component::Found::State;
    switch (state) {
        case State::supported:
            return "supported";
        case State::down:
            return "down";
        case State::unsupported:
            return "unsupported";
        case State::ours:
            return "ours";
    }
    return "unsupported";
}

const char* to_text(component::OwnDomain::Fault fault) {
    using Fault = component::OwnDomain::Fault;
    switch (fault) {
        case Fault::none:
            return "";
        case Fault::no_server:
            return "no-server";
        case Fault::unknown:
            return "unknown";
        case Fault::unreachable:
            return "unreachable";
        case Fault::unlisted:
            return "unlisted";
        case Fault::other:
            return "other";
    }
    return "other";
}

json::array to_json(const std::vector<std::string>& lines) {
    json::array rows;
    for (const auto& line : lines)
        rows.emplace_back(line);
    return rows;
}

}  // namespace

json::object refusal(std::string_view what) {
    return {{"ok", false}, {"error", what}};
}

json::object not_understood(std::string_view what) {
    return {{"ok", false}, {"error", what}, {"not_understood", true}};
}

base::Task<json::object> answer_status(Daemon& daemon) {
    const queue::CountWaiting question;
    const auto health = co_await daemon.reader().ask(question);
    if (!health) co_return refusal(health.error().text);
    json::array components;
    for (const auto& session : daemon.sessions()) {
        const auto& status = session->status();
        components.push_back(
            json::object{{"jid", session->settings().jid},
                         {"established", status.established},
                         {"retired", session->settings().retired},
                         {"since", status.since ? base::to_datetime(*status.since) : ""},
                         {"last_error", status.last_error}});
    }
    json::object answer{
        {"ok", true}, {"components", std::move(components)}, {"waiting", health->waiting}};
    answer["oldest"] =
        health->oldest ? json::value(base::to_datetime(*health->oldest)) : json::value();
    answer["off"] = off_answer(daemon.off().off());
    answer["clock"] = clock_answer(daemon.clock_trust().look(), base::SystemClock());
    co_return answer;
}

base::Task<json::object> answer_queue_list(Daemon& daemon, json::object asked) {
    const auto selection = read_selection(asked, base::SystemClock().now());
    if (!selection) co_return not_understood(selection.error().text);
    const auto limit = read_limit(asked);
    if (!limit) co_return not_understood(limit.error().text);
    const auto after = read_after(asked);
    if (!after) co_return not_understood(after.error().text);
    const std::size_t most = std::min(*limit, kListPage);
    queue::ListQueue question{*selection, *after, most};
    const auto page = co_await daemon.reader().ask(std::move(question));
    if (!page) co_return refusal(page.error().text);
    json::array recipients;
    for (const auto& row : page->rows) {
        recipients.push_back(json::object{{"id", row.id.to_text()},
                                          {"n", row.n},
                                          {"received", base::to_datetime(row.received_at)},
                                          {"expires", base::to_datetime(row.expires_at)},
                                          {"size", row.size},
                                          {"class", row.mail_class},
                                          {"from", row.sender},
                                          {"to", row.address},
                                          {"state", queue::to_text(row.state)},
                                          {"lane", row.destination.to_text()},
                                          {"peer", row.peer},
                                          {"transfer", row.transfer},
                                          {"sends", row.sends},
                                          {"attempts", row.attempts},
                                          {"next_try", base::to_datetime(row.due)},
                                          {"last_reply", row.reply},
                                          {"quarantine", row.damage},
                                          {"unreadable", row.is_unreadable}});
    }
    json::object answer{{"ok", true}, {"recipients", std::move(recipients)}};
    if (page->next) answer["after"] = write_after(*page->next);
    co_return answer;
}

base::Task<json::object> answer_operate(Daemon& daemon, json::object asked) {
    const auto verb = queue::parse_verb(text_of(asked, "verb"));
    if (!verb) co_return not_understood(verb.error().text);
    const auto selection = read_selection(asked, base::SystemClock().now());
    if (!selection) co_return not_understood(selection.error().text);
    const auto* const all = asked.if_contains("all");
    const bool everything = all != nullptr && all->is_bool() && all->as_bool();
    if (selection->is_everything() && !everything && *verb != queue::Verb::flush)
        co_return not_understood("which mail? Name ids, filters, or --all");
    queue::Operated sum;
    do {
        queue::Operate step{*verb, *selection, sum.next};
        const auto done = co_await daemon.storage().step(std::move(step));
        if (!done) co_return refusal(done.error().text);
        const queue::Operated& some = **done;
        sum.changed += some.changed;
        sum.at_work += some.at_work;
        sum.other += some.other;
        sum.unclear += some.unclear;
        for (const auto& line : some.refused) {
            if (sum.refused.size() < kRefusals) sum.refused.push_back(line);
        }
        sum.next = some.next;
        daemon.dispatcher().flush(some.touched);
    } while (sum.next && !daemon.is_stopping());
    if (sum.next)
        co_return refusal("the daemon stops; done so far: " + std::to_string(sum.changed));
    co_return json::object{{"ok", true},
                           {"changed", sum.changed},
                           {"being_delivered", sum.at_work},
                           {"in_another_state", sum.other},
                           {"delivery_not_excluded", sum.unclear},
                           {"refused", to_json(sum.refused)}};
}

json::array to_json(const std::vector<queue::Finding>& findings) {
    json::array rows;
    for (const auto& finding : findings)
        rows.push_back(
            json::object{{"id", finding.message.value == 0 ? "" : finding.message.to_text()},
                         {"text", finding.text}});
    return rows;
}

base::Task<json::object> answer_verify(Daemon& daemon) {
    const queue::Verify question;
    const auto found = co_await daemon.reader().ask(question);
    if (!found) co_return refusal(found.error().text);
    co_return json::object{{"ok", true}, {"findings", to_json(*found)}};
}

base::Task<json::object> answer_backup(Daemon& daemon, std::string file) {
    if (!file.starts_with('/')) co_return refusal("the file's name has to start with /");
    // It would be cut off there, and name another file.
    if (file.find('\0') != std::string::npos) co_return refusal("no file's name has a NUL");
    const queue::PinContents pin{true};
    const auto pinned = co_await daemon.storage().read(pin);
    if (!pinned) co_return refusal(pinned.error().text);
    queue::WriteBackup copy{std::move(file)};
    const auto written = co_await daemon.reader().ask(std::move(copy));
    daemon.storage().later(queue::PinContents{false});
    if (!written) co_return refusal(written.error().text);
    co_return json::object{{"ok", true},
                           {"messages", written->messages},
                           {"missing", written->missing},
                           {"bytes", written->bytes}};
}

base::Task<json::object> answer_trace(Daemon& daemon, std::string name) {
    queue::Search search;
    // In steps, between which others may ask.
    while (search.next != queue::Search::Next::nothing) {
        if (daemon.is_stopping()) co_return refusal("the daemon stops");
        queue::GoOnSearching step{name, std::move(search)};
        auto searched = co_await daemon.reader().ask(std::move(step));
        if (!searched) co_return refusal(searched.error().text);
        search = std::move(*searched);
    }
    if (search.found.empty()) co_return refusal("no message is known as " + name);
    queue::Trace trace{std::move(search.found)};
    const auto traced = co_await daemon.reader().ask(std::move(trace));
    if (!traced) co_return refusal(traced.error().text);
    json::array messages;
    for (const auto& message : *traced) {
        json::array steps;
        for (const auto& step : message.steps) {
            steps.push_back(json::object{{"at", step.at.time_since_epoch().count()},
                                         {"what", step.what},
                                         {"recipient", step.recipient},
                                         {"detail", step.detail}});
        }
        messages.push_back(json::object{{"id", message.id.to_text()},
                                        {"from", message.sender},
                                        {"message_id", message.message_id},
                                        {"size", message.size},
                                        {"steps", std::move(steps)}});
    }
    co_return json::object{{"ok", true}, {"messages", std::move(messages)}};
}

base::Task<json::object> answer_retire(Daemon& daemon, std::string component, bool retired) {
    std::vector<std::string> names{component};
    if (component.empty()) {
        names.clear();
        for (const auto& session : daemon.sessions())
            names.push_back(session->settings().jid);
    }
    for (const std::string& name : names) {
        const base::Result<void> done = co_await daemon.retire(name, retired);
        if (!done) co_return refusal(done.error().text);
    }
    json::object answer = co_await answer_status(daemon);
    co_return answer;
}

base::Task<json::object> answer_look_up(Daemon& daemon, std::string text) {
    auto domain = mail::Domain::parse(text);
    if (!domain) co_return not_understood(text + ": " + domain.error().text);
    if (daemon.discovery().is_ours(*domain)) {
        const std::string serves = daemon.router().component_of(*domain);
        const component::OwnDomain own = co_await daemon.look_at_own(std::move(*domain));
        co_return json::object{{"ok", true},
                               {"state", to_text(component::Found::State::ours)},
                               {"component", own.component},
                               {"served_by", serves},
                               {"fault", to_text(own.fault)},
                               {"why", own.why},
                               {"steps", to_json(own.steps)}};
    }
    const mail::Domain name = *domain;
    const component::Report report = co_await daemon.look_up(std::move(*domain));
    co_return json::object{{"ok", true},
                           {"state", to_text(report.found.state)},
                           {"component", report.found.component},
                           {"disputed", report.found.disputed},
                           {"promise", promise_of(daemon, name)},
                           {"why", report.found.why},
                           {"steps", to_json(report.steps)}};
}

}  // namespace app
