#include "component/log.hpp"

#include "base/log.hpp"

namespace component::log {

using base::log::Line;

void link_up(std::string_view component, std::string_view server) {
    Line("link-up").with("component", component).with("server", server).info();
}

void link_down(std::string_view component, std::string_view server, std::string_view why,
               std::chrono::milliseconds retry) {
    Line("link-down")
        .with("component", component)
        .with("server", server)
        .with("why", why)
        .with("retry_ms", retry.count())
        .warning();
}

void stanza_dropped(std::string_view component, std::string_view peer, std::string_view why) {
    Line("stanza-dropped").with("component", component).with("peer", peer).with("why", why).debug();
}

void discovered(std::string_view domain, std::string_view component) {
    Line("discovered").with("domain", domain).with("peer", component).info();
}

void undiscovered(std::string_view domain, std::string_view why) {
    Line("no-xmpp-mail").with("domain", domain).with("why", why).info();
}

void peer_down(std::string_view domain, std::string_view component, std::string_view why) {
    Line("peer-down").with("domain", domain).with("peer", component).with("why", why).warning();
}

void two_claims(std::string_view domain, std::string_view kept, std::string_view other) {
    Line("two-claims").with("domain", domain).with("kept", kept).with("other", other).warning();
}

void peer_book_failed(std::string_view domain, std::string_view why) {
    Line("peer-book-failed").with("domain", domain).with("why", why).error();
}

void refused_by_peer(std::string_view peer, std::string_view domain, std::size_t transfers,
                     std::string_view why) {
    Line("refused-by-peer")
        .with("peer", peer)
        .with("domain", domain)
        .with("transfers", transfers)
        .with("why", why)
        .warning();
}

void answer_ignored(std::string_view peer, std::string_view id, std::string_view why) {
    Line("answer-ignored").with("peer", peer).with("transfer", id).with("why", why).warning();
}

void batch_sent(std::string_view peer, std::size_t transfers, std::size_t bytes,
                std::chrono::milliseconds took) {
    Line("batch-sent")
        .with("peer", peer)
        .with("transfers", transfers)
        .with("stanza_bytes", bytes)
        .with("ms", took.count())
        .debug();
}

void request_refused(std::string_view peer, std::string_view why) {
    Line("request-refused").with("peer", peer).with("why", why).warning();
}

void transfer_refused(std::string_view peer, std::string_view domain, std::string_view id,
                      std::string_view why) {
    Line("transfer-refused")
        .with("peer", peer)
        .with("domain", domain)
        .with("transfer", id)
        .with("why", why)
        .warning();
}

void transfer_accepted(std::string_view peer, std::string_view domain, std::string_view id,
                       std::string_view queue_id, std::size_t accepted, std::size_t refused) {
    Line("transfer-accepted")
        .with("peer", peer)
        .with("domain", domain)
        .with("transfer", id)
        .with("id", queue_id)
        .with("accepted", accepted)
        .with("refused", refused)
        .info();
}

void transfer_repeated(std::string_view peer, std::string_view domain, std::string_view id) {
    Line("transfer-repeated").with("peer", peer).with("domain", domain).with("transfer", id).info();
}

}  // namespace component::log
