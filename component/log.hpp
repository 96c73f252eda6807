// The log events of component/: one typed function each, built on base/log.hpp. Never a body or a
// secret.
//
// What peers can cause as often as they like goes through a LogLimiter, and says how many lines
// like it were left out. `kind` tells such complaints apart: a word of ours, of which there are
// few.
//
// Tested by tests/e2e/test_hostile_answers.py and tests/e2e/test_hostile_senders.py.
#pragma once

#include "component/log_limiter.hpp"

#include <chrono>
#include <string_view>

namespace component::log {

void link_up(std::string_view component, std::string_view server);
void link_down(std::string_view component, std::string_view server, std::string_view why,
               std::chrono::milliseconds retry);
/// `why`: a text of ours, and thereby its own kind.
void stanza_dropped(LogLimiter& limiter, std::string_view component, std::string_view peer,
                    std::string_view why);
void left_out(std::string_view component, const LogLimiter::LeftOut& lines);
void discovered(std::string_view domain, std::string_view component);
void undiscovered(std::string_view domain, std::string_view why);
void peer_down(std::string_view domain, std::string_view component, std::string_view why);
/// Of claims of a domain that are not believed.
void disputed(std::string_view domain, std::string_view what);
void known_peers_failed(std::string_view domain, std::string_view why);
/// The peer's answer was an error about the whole request.
void refused_by_peer(LogLimiter& limiter, std::string_view peer, std::string_view domain,
                     std::size_t transfers, std::string_view kind, std::string_view why);
/// The peer can't ask the domain that we send for, so that its mail waits, and goes by SMTP later.
void sender_unverified(std::string_view peer, std::string_view domain, std::string_view why);
/// Mail of this organisation does not wait for its domains' owners for a while.
void owners_slow(std::string_view organisation, std::chrono::milliseconds took);
/// A list in the DNS is asked, and believed; or is not, for a while.
void dns_list_used(std::string_view zone);
void dns_list_unused(std::string_view zone, std::string_view why);
/// `why` as in stanza_dropped().
void answer_ignored(LogLimiter& limiter, std::string_view peer, std::string_view id,
                    std::string_view why);
void batch_sent(std::string_view peer, std::size_t transfers, std::size_t bytes,
                std::chrono::milliseconds took);
/// An attempt at a message that goes in pieces has ended: `sent` bytes of its content left.
void pieces_sent(std::string_view peer, std::string_view id, std::size_t size, std::uint64_t sent,
                 std::chrono::milliseconds took);
void request_refused(LogLimiter& limiter, std::string_view peer, std::string_view kind,
                     std::string_view why);
void transfer_refused(LogLimiter& limiter, std::string_view peer, std::string_view domain,
                      std::string_view id, std::string_view kind, std::string_view why);
/// `limit` of the domain's class, a key of the configuration: it `waits`, or is `refused`.
void class_limit(LogLimiter& limiter, std::string_view peer, std::string_view domain,
                 std::string_view peer_class, std::string_view limit, std::string_view outcome,
                 std::string_view id);
/// One of its recipients was, or more.
void transfer_accepted(std::string_view peer, std::string_view domain, std::string_view id,
                       std::string_view queue_id, std::size_t accepted, std::size_t refused,
                       std::string_view peer_class);
/// Of its recipients, each got a verdict that refuses it: `reply` is that of the first.
void recipients_refused(LogLimiter& limiter, std::string_view peer, std::string_view domain,
                        std::string_view id, std::size_t refused, std::string_view reply,
                        std::string_view peer_class);
void transfer_opened(std::string_view peer, std::string_view domain, std::string_view id,
                     std::size_t size, std::size_t offset);
void transfer_called_back(LogLimiter& limiter, std::string_view peer, std::string_view domain,
                          std::string_view id);
void transfer_repeated(LogLimiter& limiter, std::string_view peer, std::string_view domain,
                       std::string_view id);

}  // namespace component::log
