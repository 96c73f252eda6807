#include "component/log.hpp"

#include "base/log.hpp"

#include <optional>

namespace component::log {

using base::log::Line;

namespace {

/// A line about what `peer` did, or nothing if it is one too many.
std::optional<Line> complaint(LogLimiter& limiter, const char* event, std::string_view peer,
                              std::string_view kind) {
    std::string whole(event);
    if (!kind.empty()) whole.append(": ").append(kind);
    const auto left_out = limiter.admit(peer, whole);
    if (!left_out) return std::nullopt;
    Line line(event);
    line.with("peer", peer);
    if (*left_out > 0) line.with("left_out", *left_out);
    return line;
}

}  // namespace

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

void stanza_dropped(LogLimiter& limiter, std::string_view component, std::string_view peer,
                    std::string_view why) {
    auto line = complaint(limiter, "stanza-dropped", peer, why);
    if (line) line->with("component", component).with("why", why).info();
}

void left_out(std::string_view component, const LogLimiter::LeftOut& lines) {
    Line("left-out")
        .with("component", component)
        .with("peer", lines.peer.empty() ? "many" : std::string_view(lines.peer))
        .with("lines_like", lines.kind)
        .with("count", lines.count)
        .warning();
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

void disputed(std::string_view domain, std::string_view what) {
    Line("disputed").with("domain", domain).with("what", what).warning();
}

void known_peers_failed(std::string_view domain, std::string_view why) {
    Line("known-peers-failed").with("domain", domain).with("why", why).error();
}

void refused_by_peer(LogLimiter& limiter, std::string_view peer, std::string_view domain,
                     std::size_t transfers, std::string_view kind, std::string_view why) {
    auto line = complaint(limiter, "refused-by-peer", peer, kind);
    if (line) line->with("domain", domain).with("transfers", transfers).with("why", why).warning();
}

void sender_unverified(std::string_view peer, std::string_view domain, std::string_view why) {
    Line("sender-unverified").with("peer", peer).with("domain", domain).with("why", why).warning();
}

void owners_slow(std::string_view organisation, std::chrono::milliseconds took) {
    Line("owners-slow").with("organisation", organisation).with("ms", took.count()).info();
}

void dns_list_used(std::string_view zone) {
    Line("dns-list-used").with("zone", zone).info();
}

void dns_list_unused(std::string_view zone, std::string_view why) {
    Line("dns-list-unused").with("zone", zone).with("why", why).warning();
}

void answer_ignored(LogLimiter& limiter, std::string_view peer, std::string_view id,
                    std::string_view why) {
    auto line = complaint(limiter, "answer-ignored", peer, why);
    if (line) line->with("transfer", id).with("why", why).warning();
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

void pieces_sent(std::string_view peer, std::string_view id, std::size_t size, std::uint64_t sent,
                 std::chrono::milliseconds took) {
    Line("pieces-sent")
        .with("peer", peer)
        .with("transfer", id)
        .with("size", size)
        .with("sent", sent)
        .with("ms", took.count())
        .info();
}

void request_refused(LogLimiter& limiter, std::string_view peer, std::string_view kind,
                     std::string_view why) {
    auto line = complaint(limiter, "request-refused", peer, kind);
    if (line) line->with("why", why).warning();
}

void transfer_refused(LogLimiter& limiter, std::string_view peer, std::string_view domain,
                      std::string_view id, std::string_view kind, std::string_view why) {
    auto line = complaint(limiter, "transfer-refused", peer, kind);
    if (line) line->with("domain", domain).with("transfer", id).with("why", why).warning();
}

void class_limit(LogLimiter& limiter, std::string_view peer, std::string_view domain,
                 std::string_view peer_class, std::string_view limit, std::string_view outcome,
                 std::string_view id) {
    auto line = complaint(limiter, "class-limit", peer, limit);
    if (line)
        line->with("domain", domain)
            .with("class", peer_class)
            .with("limit", limit)
            .with("outcome", outcome)
            .with("transfer", id)
            .warning();
}

void transfer_accepted(std::string_view peer, std::string_view domain, std::string_view id,
                       std::string_view queue_id, std::size_t accepted, std::size_t refused,
                       std::string_view peer_class) {
    Line("transfer-accepted")
        .with("peer", peer)
        .with("domain", domain)
        .with("transfer", id)
        .with("id", queue_id)
        .with("accepted", accepted)
        .with("refused", refused)
        .with("class", peer_class)
        .info();
}

void recipients_refused(LogLimiter& limiter, std::string_view peer, std::string_view domain,
                        std::string_view id, std::size_t refused, std::string_view reply,
                        std::string_view peer_class) {
    auto line = complaint(limiter, "recipients-refused", peer, {});
    if (!line) return;
    line->with("domain", domain)
        .with("transfer", id)
        .with("refused", refused)
        .with("reply", reply)
        .with("class", peer_class)
        .info();
}

void transfer_opened(std::string_view peer, std::string_view domain, std::string_view id,
                     std::size_t size, std::size_t offset) {
    Line("transfer-opened")
        .with("peer", peer)
        .with("domain", domain)
        .with("transfer", id)
        .with("size", size)
        .with("offset", offset)
        .info();
}

void transfer_called_back(LogLimiter& limiter, std::string_view peer, std::string_view domain,
                          std::string_view id) {
    auto line = complaint(limiter, "transfer-called-back", peer, {});
    if (line) line->with("domain", domain).with("transfer", id).info();
}

void transfer_repeated(LogLimiter& limiter, std::string_view peer, std::string_view domain,
                       std::string_view id) {
    auto line = complaint(limiter, "transfer-repeated", peer, {});
    if (line) line->with("domain", domain).with("transfer", id).info();
}

}  // namespace component::log
