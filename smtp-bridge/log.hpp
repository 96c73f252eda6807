// The log events of this room, one function each. Any thread. `accepted` is the queue's to log.
//
// Tested by tests/e2e/test_smtp_server.py.
#pragma once

#include "mail/envelope.hpp"
#include "mail/status.hpp"

#include <string>
#include <string_view>

namespace smtp_bridge::log {

// --- server
void listening(std::string_view name, std::string_view endpoint, std::string_view protocol);
void accept_failed(std::string_view name, std::string_view why);
/// A client was turned away before it could say anything.
void client_refused(std::string_view name, std::string_view client, const mail::Reply& reply);
/// Once a minute: a client that was silent had to make room for this one.
void clients_full(std::string_view name, std::string_view client, std::size_t most);
/// Once in a session.
void bad_input(std::string_view name, std::string_view client, std::string_view line,
               const mail::Reply& reply);
void session_cut(std::string_view name, std::string_view client, std::string_view why);
/// A whole message was refused, or could not be taken.
void message_refused(std::string_view name, std::string_view client, const mail::Envelope& envelope,
                     const mail::Reply& reply);

// --- client
void next_hop_down(std::string_view target, const mail::Reply& reply);
void next_hop_up(std::string_view target);
/// It refused a further link while `open` were open; logged when it is news.
void next_hop_full(std::string_view target, std::size_t open, const mail::Reply& reply);
/// The link broke behind the final dot: the next hop may have it, and will get it again.
void outcome_unknown(std::string_view target, std::string_view id, std::string_view why);

// --- lookups
void lookup_bad_input(std::string_view name, std::string_view client, std::string_view why);
/// Once a minute: one that was silent had to make room for another.
void lookup_clients_full(std::string_view name, std::size_t most);

// --- route table
/// The next change is another try.
/// What was there was no table: a new one stands in its place.
void route_table_made_again(std::string_view file, std::string_view why);
void route_table_failed(std::string_view file, std::string_view why);

}  // namespace smtp_bridge::log
