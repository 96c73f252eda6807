// The log events of component/: one typed function each, built on base/log.hpp. Never a body or a
// secret.
#pragma once

#include <chrono>
#include <string_view>

namespace component::log {

void link_up(std::string_view component, std::string_view server);
void link_down(std::string_view component, std::string_view server, std::string_view why,
               std::chrono::milliseconds retry);
void stanza_dropped(std::string_view component, std::string_view peer, std::string_view why);
void discovered(std::string_view domain, std::string_view component);
void undiscovered(std::string_view domain, std::string_view why);
void peer_down(std::string_view domain, std::string_view component, std::string_view why);
void two_claims(std::string_view domain, std::string_view kept, std::string_view other);
void peer_book_failed(std::string_view domain, std::string_view why);
/// The peer's answer was an error about the whole request.
void refused_by_peer(std::string_view peer, std::string_view domain, std::size_t transfers,
                     std::string_view why);
void answer_ignored(std::string_view peer, std::string_view id, std::string_view why);
void batch_sent(std::string_view peer, std::size_t transfers, std::size_t bytes,
                std::chrono::milliseconds took);
void request_refused(std::string_view peer, std::string_view why);
void transfer_refused(std::string_view peer, std::string_view domain, std::string_view id,
                      std::string_view why);
void transfer_accepted(std::string_view peer, std::string_view domain, std::string_view id,
                       std::string_view queue_id, std::size_t accepted, std::size_t refused);
void transfer_repeated(std::string_view peer, std::string_view domain, std::string_view id);

}  // namespace component::log
