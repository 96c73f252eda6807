#include "component/protocol/stanza_error.hpp"

#include <utility>

namespace component {
namespace {

using namespace std::chrono_literals;

constexpr auto kBusyWait = 60s;  // what a peer is told when we can't take its mail now

}  // namespace

const char* to_text(BusyCause cause) {
    switch (cause) {
        case BusyCause::none:
            break;
        case BusyCause::unverified:
            return "unverified";
        case BusyCause::rate:
            return "rate";
    }
    return "";
}

BusyCause parse_cause(std::string_view word) {
    for (const BusyCause each : {BusyCause::unverified, BusyCause::rate}) {
        if (word == to_text(each)) return each;
    }
    return BusyCause::none;
}

std::string StanzaError::to_text() const {
    std::string out = condition;
    if (!ours.empty()) out += " (" + ours + ')';
    if (!text.empty()) out += ": " + text;
    return out;
}

StanzaError busy(std::string text) {
    return {"wait", "resource-constraint", "busy", kBusyWait, std::move(text)};
}

StanzaError unverified(std::string text) {
    StanzaError error = busy(std::move(text));
    error.cause = BusyCause::unverified;
    return error;
}

StanzaError beyond_rate(std::string text, std::chrono::seconds retry_after) {
    StanzaError error = busy(std::move(text));
    error.cause = BusyCause::rate;
    error.retry_after = retry_after;
    return error;
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

StanzaError unknown_transfer() {
    return {"cancel", "item-not-found", "unknown-transfer", {}, {}};
}

StanzaError bad_offset(std::uint64_t offset) {
    StanzaError error{"wait", "unexpected-request", "bad-offset", {}, {}};
    error.offset = offset;
    return error;
}

}  // namespace component
