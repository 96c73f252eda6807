#include "app/control_answers.hpp"

#include "queue/history.hpp"

namespace app {

namespace json = boost::json;

json::object refusal(std::string_view what) {
    return {{"ok", false}, {"error", what}};
}

base::Task<json::object> answer_status(Daemon& daemon) {
    std::function<base::Result<queue::Health>(queue::Store&)> look = [](queue::Store& store) {
        return base::Result<queue::Health>(queue::health(store));
    };
    const base::Result<queue::Health> health =
        co_await daemon.storage().read<queue::Health>(std::move(look));
    if (!health) co_return refusal(health.error().text);
    json::array components;
    for (const auto& session : daemon.sessions()) {
        const auto& status = session->status();
        components.push_back(
            json::object{{"jid", session->settings().jid},
                         {"established", status.established},
                         {"since", status.since ? base::to_datetime(*status.since) : ""},
                         {"last_error", status.last_error}});
    }
    json::object answer{
        {"ok", true}, {"components", std::move(components)}, {"waiting", health->waiting}};
    answer["oldest"] =
        health->oldest ? json::value(base::to_datetime(*health->oldest)) : json::value();
    co_return answer;
}

base::Task<json::object> answer_queue_list(Daemon& daemon) {
    using Rows = std::vector<queue::ListedRecipient>;
    std::function<base::Result<Rows>(queue::Store&)> look = [](queue::Store& store) {
        return base::Result<Rows>(queue::list_waiting(store));
    };
    const base::Result<Rows> rows = co_await daemon.storage().read<Rows>(std::move(look));
    if (!rows) co_return refusal(rows.error().text);
    json::array recipients;
    for (const auto& row : *rows) {
        recipients.push_back(json::object{{"id", row.id.to_text()},
                                          {"received", base::to_datetime(row.received_at)},
                                          {"size", row.size},
                                          {"from", row.sender},
                                          {"to", row.address},
                                          {"state", queue::to_text(row.state)},
                                          {"lane", row.destination.to_text()},
                                          {"attempts", row.attempts},
                                          {"next_try", base::to_datetime(row.due)},
                                          {"last_reply", row.reply}});
    }
    co_return json::object{{"ok", true}, {"recipients", std::move(recipients)}};
}

base::Task<json::object> answer_trace(Daemon& daemon, std::string name) {
    using Traced = std::vector<queue::TracedMessage>;
    std::function<base::Result<Traced>(queue::Store&)> look = [name](queue::Store& store) {
        return queue::trace(store, name);
    };
    const base::Result<Traced> traced = co_await daemon.storage().read<Traced>(std::move(look));
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

base::Task<json::object> answer_look_up(Daemon& daemon, std::string text) {
    auto domain = mail::Domain::parse(text);
    if (!domain) co_return refusal(text + ": " + domain.error().text);
    const component::Report report = co_await daemon.look_up(std::move(*domain));
    json::array steps;
    for (const auto& step : report.steps)
        steps.emplace_back(step);
    const char* const state = report.found.state == component::Found::State::supported ? "supported"
                              : report.found.state == component::Found::State::down    ? "down"
                                                                                    : "unsupported";
    co_return json::object{{"ok", true},
                           {"state", state},
                           {"component", report.found.component},
                           {"why", report.found.why},
                           {"steps", std::move(steps)}};
}

}  // namespace app
