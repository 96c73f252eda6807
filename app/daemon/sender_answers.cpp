#include "app/daemon/sender_answers.hpp"

#include "app/daemon/control_answers.hpp"
#include "app/daemon/peer_answers.hpp"
#include "base/text.hpp"

namespace app {

namespace json = boost::json;

namespace {

constexpr std::size_t kRows = 1000;

/// A login is whatever our mail server says, and JSON is UTF-8.
std::string shown(const std::string& name) {
    return base::printable(name, name.size());
}

json::object to_json(const queue::SenderRow& row) {
    using queue::Counted;
    json::object limits;
    json::object counts;
    for (const Counted what : {Counted::messages, Counted::recipients, Counted::unknown}) {
        const auto i = static_cast<std::size_t>(what);
        counts[to_text(what)] = row.last_hour.at(i);
        const auto& limit = row.limits.at(i);
        limits[to_text(what)] = limit ? json::value(*limit) : json::value();
    }
    return {{"kind", to_text(row.kind)},      {"name", shown(row.name)},
            {"last_hour", std::move(counts)}, {"limits", std::move(limits)},
            {"is_beyond", row.is_beyond},     {"beyond", to_text(row.beyond)}};
}

json::object to_json(const queue::SenderComplaints& against) {
    const auto pause = queue::pause_after_complaints(against.days);
    return {{"kind", "complaints"},
            {"name", shown(against.sender)},
            {"domain", against.domain},
            {"complaints", against.complaints},
            {"days", against.days},
            {"one_in_s", std::chrono::duration_cast<std::chrono::seconds>(pause).count()}};
}

}  // namespace

base::Task<json::object> answer_senders(Daemon& daemon) {
    queue::ListComplaints question{today(daemon), queue::SlowedSenders::kMost};
    const auto complaints = co_await daemon.reader().ask(std::move(question));
    if (!complaints) co_return refusal(complaints.error().text);
    const auto rows = daemon.senders().list(kRows + 1);
    json::array senders;
    for (const auto& row : rows) {
        if (senders.size() < kRows) senders.push_back(to_json(row));
    }
    json::array against;
    for (const auto& each : *complaints) {
        if (against.size() < kRows) against.push_back(to_json(each));
    }
    co_return json::object{{"ok", true},
                           {"cut", rows.size() > kRows || complaints->size() > kRows},
                           {"senders", std::move(senders)},
                           {"complaints", std::move(against)}};
}

json::object answer_forget_sender(Daemon& daemon, const std::string& name) {
    const std::string text = shown(name);
    if (!daemon.senders().forget(name)) return refusal(text + ": nothing is known of this sender");
    return {{"ok", true}, {"name", text}};
}

}  // namespace app
