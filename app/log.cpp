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

void peer_class_set(std::string_view domain, std::string_view peer_class) {
    Line("peer-class-set")
        .with("domain", domain)
        .with("class", peer_class.empty() ? "none" : peer_class)
        .info();
}

void peer_forgotten(std::string_view domain) {
    Line("peer-forgotten").with("domain", domain).info();
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

void control_failed(std::string_view what, const base::Error& error) {
    Line("control-failed").with("what", what).with("why", error.text).warning();
}

}  // namespace app::log
