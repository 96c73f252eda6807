#include "smtp-bridge/log.hpp"

#include "base/log.hpp"

namespace smtp_bridge::log {

using base::log::Line;

void listening(std::string_view name, std::string_view endpoint, std::string_view protocol) {
    Line("listening")
        .with("listener", name)
        .with("endpoint", endpoint)
        .with("protocol", protocol)
        .info();
}

void accept_failed(std::string_view name, std::string_view why) {
    Line("accept-failed").with("listener", name).with("why", why).warning();
}

void client_refused(std::string_view name, std::string_view client, const mail::Reply& reply) {
    Line("client-refused")
        .with("listener", name)
        .with("client", client)
        .with("reply", reply.to_text())
        .warning();
}

void clients_full(std::string_view name, std::string_view client, std::size_t most) {
    Line("clients-full").with("listener", name).with("client", client).with("most", most).warning();
}

void bad_input(std::string_view name, std::string_view client, std::string_view line,
               const mail::Reply& reply) {
    Line("bad-input")
        .with("listener", name)
        .with("client", client)
        .with("line", line.substr(0, 80))
        .with("reply", reply.to_text())
        .warning();
}

void session_cut(std::string_view name, std::string_view client, std::string_view why) {
    Line("session-cut").with("listener", name).with("client", client).with("why", why).info();
}

void message_refused(std::string_view name, std::string_view client, const mail::Envelope& envelope,
                     const mail::Reply& reply) {
    Line("message-refused")
        .with("listener", name)
        .with("client", client)
        .with("from", mail::to_text(envelope.from))
        .with("recipients", envelope.recipients.size())
        .with("reply", reply.to_text())
        .warning();
}

void next_hop_down(std::string_view target, const mail::Reply& reply) {
    Line("next-hop-down").with("target", target).with("reply", reply.to_text()).warning();
}

void next_hop_up(std::string_view target) {
    Line("next-hop-up").with("target", target).info();
}

void next_hop_full(std::string_view target, std::size_t open, const mail::Reply& reply) {
    Line("next-hop-full")
        .with("target", target)
        .with("open", open)
        .with("reply", reply.to_text())
        .info();
}

void outcome_unknown(std::string_view target, std::string_view id, std::string_view why) {
    Line("outcome-unknown").with("target", target).with("id", id).with("why", why).warning();
}

void lookup_bad_input(std::string_view name, std::string_view client, std::string_view why) {
    Line("lookup-bad-input")
        .with("listener", name)
        .with("client", client)
        .with("why", why)
        .warning();
}

void lookup_clients_full(std::string_view name, std::size_t most) {
    Line("lookup-clients-full").with("listener", name).with("most", most).warning();
}

void route_table_made_again(std::string_view file, std::string_view why) {
    Line("route-table-made-again").with("file", file).with("why", why).warning();
}

void route_table_failed(std::string_view file, std::string_view why) {
    Line("route-table-failed").with("file", file).with("why", why).error();
}

}  // namespace smtp_bridge::log
