#include "app/log.hpp"

#include "base/log.hpp"
#include "queue/sender_counts.hpp"

namespace app::log {

using base::log::Line;

void started(std::string_view version, std::string_view config_file) {
    Line("started").with("version", version).with("config", config_file).info();
}

void stopping(std::string_view why) {
    Line("stopping").with("why", why).info();
}

void stopped() {
    Line("stopped").info();
}

void gave_up(const base::Error& error, int exit_status) {
    Line("gave-up").with("why", error.text).with("exit-status", exit_status).error();
}

void reloaded(std::string_view config_file, std::string_view changed, std::string_view unchanged) {
    Line("reloaded")
        .with("config", config_file)
        .with("changed", changed.empty() ? "nothing" : changed)
        .info();
    if (!unchanged.empty()) Line("needs-a-restart").with("changed", unchanged).warning();
}

void reload_failed(const base::Error& error) {
    Line("reload-failed").with("why", error.text).with("in-force", "as before").error();
}

void secret_is_exposed(std::string_view file) {
    Line("secret-is-exposed")
        .with("file", file)
        .with("why", "every account of this machine can read it")
        .warning();
}

void certificate_is_minded(std::string_view component, std::string_view server,
                           std::string_view why) {
    Line("certificate-is-minded")
        .with("component", component)
        .with("server", server)
        .with("why", why)
        .warning();
}

void peer_class_set(std::string_view domain, std::string_view peer_class) {
    Line("peer-class-set")
        .with("domain", domain)
        .with("class", peer_class.empty() ? "none" : peer_class)
        .info();
}

void peer_forgotten(std::string_view domain) {
    Line("peer-forgotten").with("domain", domain).info();
}

void list_in_force(std::string_view file, std::string_view peer_class, std::size_t domains) {
    Line("list-in-force")
        .with("file", file)
        .with("class", peer_class)
        .with("domains", domains)
        .info();
}

void list_refused(const base::Error& error) {
    Line("list-refused").with("why", error.text).with("in-force", "as before").error();
}

void retired(std::string_view component, bool retired) {
    Line(retired ? "retired" : "back-in-service").with("component", component).info();
}

void turned_off(std::optional<base::TimePoint> until) {
    Line("off")
        .with("until", until ? base::to_datetime(*until) : "packetboat on")
        .with("what", "our mail goes by SMTP")
        .warning();
}

void turned_on(std::string_view why) {
    Line("on").with("why", why).with("what", "our mail goes over XMPP").info();
}

void is_off(base::TimePoint since, std::optional<base::TimePoint> until) {
    Line("still-off")
        .with("since", base::to_datetime(since))
        .with("until", until ? base::to_datetime(*until) : "packetboat on")
        .warning();
}

void link_is_down(std::string_view component, std::chrono::milliseconds since,
                  std::string_view why) {
    Line("component-link-is-down")
        .with("component", component)
        .with("for-s", std::chrono::duration_cast<std::chrono::seconds>(since).count())
        .with("why", why)
        .warning();
}

void return_refused(std::string_view why) {
    Line("return-refused").with("why", why).warning();
}

void sender_beyond(const queue::SenderAlarm& alarm) {
    const auto& [messages, recipients, unknown] = alarm.last_hour;
    Line line("sender-beyond-limit");
    line.with("kind", to_text(alarm.kind))
        .with("name", alarm.name)
        .with("what", to_text(alarm.what))
        .with("limit", alarm.limit)
        .with("messages", messages)
        .with("recipients", recipients)
        .with("unknown-recipients", unknown)
        .with("beyond", to_text(alarm.beyond));
    if (!alarm.client.empty()) line.with("client", alarm.client);
    if (alarm.left_out > 0) line.with("left-out", alarm.left_out);
    line.warning();
}

void complaint(std::string_view transfer, std::string_view domain, std::string_view recipient,
               bool is_spam, std::int64_t uid) {
    Line("complaint")
        .with("transfer", transfer)
        .with("domain", domain)
        .with("by", recipient)
        .with("kind", is_spam ? "spam" : "not-spam")
        .with("uid", uid)
        .info();
}

void complaint_refused(std::string_view transfer, std::int64_t uid, const base::Error& error) {
    Line("complaint-refused")
        .with("transfer", transfer)
        .with("uid", uid)
        .with("why", error.text)
        .warning();
}

void control_failed(std::string_view what, const base::Error& error) {
    Line("control-failed").with("what", what).with("why", error.text).warning();
}

void promise(const char* event, std::string_view domain, std::string_view component,
             std::string_view until, std::uint64_t left_out) {
    Line line(event);
    line.with("domain", domain).with("peer", component).with("until", until);
    if (left_out > 0) line.with("left-out", left_out);
    line.info();
}

void promise_broken(std::string_view domain, std::string_view client, std::string_view finding,
                    std::string_view mode, std::uint64_t left_out) {
    Line line("promise-broken");
    line.with("domain", domain)
        .with("client", client)
        .with("promise", finding)
        .with("closed-lane", mode);
    if (left_out > 0) line.with("left-out", left_out);
    line.warning();
}

void promises_left_out(std::string_view domain, std::string_view kind, std::uint64_t count) {
    Line("left-out")
        .with("domain", domain.empty() ? "many" : domain)
        .with("lines_like", kind)
        .with("count", count)
        .warning();
}

void promise_forgotten(std::string_view domain) {
    Line("promise-forgotten").with("domain", domain).info();
}

void promised_domains_failed(std::string_view why) {
    Line("promised-domains-failed").with("why", why).error();
}

}  // namespace app::log
