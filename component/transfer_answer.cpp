#include "component/transfer_answer.hpp"

#include "component/log.hpp"

namespace component {
namespace {

using namespace std::chrono_literals;

constexpr auto kBusyWait = 60s;  // what a peer is told when we can't take its mail now

}  // namespace

StanzaError busy(std::string text) {
    return {"wait", "resource-constraint", "busy", kBusyWait, std::move(text)};
}

StanzaError malformed(std::string text) {
    return {"modify", "bad-request", "malformed", {}, std::move(text)};
}

StanzaError not_authorised(std::string text) {
    return {"auth", "forbidden", "domain-not-authorized", {}, std::move(text)};
}

StanzaError id_reuse() {
    return {"cancel", "conflict", "id-reuse", {}, {}};
}

TransferAnswer::TransferAnswer(Link& link, IqHead head, std::string peer,
                               std::function<void()> released)
    : link_(link), head_(std::move(head)), peer_(std::move(peer)), released_(std::move(released)) {}

TransferAnswer::~TransferAnswer() {
    if (!given_) fail({"cancel", "internal-server-error", {}, {}, {}});
    released_();
}

void TransferAnswer::fail(const StanzaError& error) {
    given_ = true;
    const std::string_view kind = error.ours.empty() ? error.condition : error.ours;
    log::request_refused(link_.log_limiter(), head_.from, kind, error.to_text());
    auto stanza = write_error("iq", head_, error);
    if (stanza) (void)link_.send(std::move(*stanza));
}

void TransferAnswer::give(std::string_view payload) {
    given_ = true;
    auto stanza = write_iq({"result", head_.id, head_.to, head_.from}, payload);
    const auto sent = stanza ? link_.send(std::move(*stanza)) : base::Result<void>(stanza.error());
    // The peer sends them again, and gets the stored verdicts.
    if (!sent)
        log::request_refused(link_.log_limiter(), head_.from, "unsent",
                             "the verdicts are not sent: " + sent.error().text);
}

}  // namespace component
