#include "app/daemon/selection_json.hpp"

#include "app/config/values.hpp"
#include "app/json_text.hpp"
#include "base/limits.hpp"
#include "base/spelling.hpp"
#include "base/text.hpp"
#include "mail/address.hpp"

#include <optional>
#include <sstream>

namespace app {
namespace {

namespace json = boost::json;
using base::Errc;
using base::fail;

constexpr std::size_t kIds = 1000;  // of one command
constexpr std::string_view kStates[] = {"queued", "leased", "deferred", "held"};
constexpr std::string_view kLanes[] = {"xmpp", "local", "relay", "report"};

/// An empty value is a slip (of a script's variable, say) that would mean all the mail there is.
std::optional<base::Error> refuse_empty(const json::object& asked) {
    for (const char* const key :
         {"state", "lane", "from", "to", "domain", "sender_domain", "older", "newer", "limit"}) {
        if (asked.if_contains(key) != nullptr && base::split(text_of(asked, key), ", ").empty())
            return fail(Errc::syntax, std::string("the filter \"") + key + "\" is empty");
    }
    return std::nullopt;
}

std::optional<base::Error> read_ids(const json::object& asked, queue::Selection& selection) {
    const auto* const ids = asked.if_contains("ids");
    if (ids == nullptr) return std::nullopt;
    if (!ids->is_array() || ids->as_array().size() > kIds)
        return fail(Errc::limit, "at most 1000 ids at once");
    for (const auto& each : ids->as_array()) {
        const std::string word = each.is_string() ? std::string(each.as_string()) : "";
        const auto id = queue::QueueId::parse(word);
        if (!id) return fail(Errc::syntax, "\"" + word + "\" is no queue id");
        selection.ids.push_back(*id);
    }
    return std::nullopt;
}

std::optional<base::Error> read_states(const json::object& asked, queue::Selection& selection) {
    using queue::State;
    const std::string words = text_of(asked, "state");
    for (const auto word : base::split(words, ", ")) {
        const std::size_t before = selection.states.size();
        for (const State state : {State::queued, State::leased, State::deferred, State::held}) {
            if (word == queue::to_text(state)) selection.states.push_back(state);
        }
        if (selection.states.size() == before)
            return fail(Errc::syntax, "\"" + std::string(word) +
                                          "\" is no state: queued, leased, deferred or held" +
                                          base::did_you_mean(word, kStates));
    }
    return std::nullopt;
}

std::optional<base::Error> read_lane(const json::object& asked, queue::Selection& selection) {
    using queue::Lane;
    const std::string word = text_of(asked, "lane");
    if (word.empty()) return std::nullopt;
    for (const Lane lane : {Lane::xmpp, Lane::local, Lane::relay, Lane::report}) {
        if (word == queue::to_text(lane)) selection.lane = lane;
    }
    if (selection.lane) return std::nullopt;
    return fail(Errc::syntax, "\"" + word + "\" is no lane: xmpp, local, relay or report" +
                                  base::did_you_mean(word, kLanes));
}

std::optional<base::Error> read_address(const json::object& asked, const char* key,
                                        std::string& address) {
    address = text_of(asked, key);
    if (address.empty()) return std::nullopt;
    const auto mailbox = mail::Mailbox::parse_loosely(address);
    if (mailbox) return std::nullopt;
    return fail(Errc::syntax, "\"" + address + "\" is no address");
}

std::optional<base::Error> read_domain(const json::object& asked, const char* key,
                                       std::string& domain) {
    domain = text_of(asked, key);
    if (domain.empty() || mail::Domain::parse_loosely(domain)) return std::nullopt;
    return fail(Errc::syntax, "\"" + domain + "\" is no domain");
}

std::optional<base::Error> read_age(const json::object& asked, const char* key, base::TimePoint now,
                                    std::optional<base::TimePoint>& time) {
    const std::string word = text_of(asked, key);
    if (word.empty()) return std::nullopt;
    std::istringstream in(word);
    Duration age;
    if (!(in >> age)) return fail(Errc::syntax, "\"" + word + "\" is no age such as 90s, 5m or 4h");
    time = now - age.value;
    return std::nullopt;
}

}  // namespace

base::Result<queue::Selection> read_selection(const json::object& asked, base::TimePoint now) {
    queue::Selection selection;
    auto wrong = refuse_empty(asked);
    if (!wrong) wrong = read_ids(asked, selection);
    if (!wrong) wrong = read_states(asked, selection);
    if (!wrong) wrong = read_lane(asked, selection);
    if (!wrong) wrong = read_address(asked, "from", selection.from);
    if (!wrong) wrong = read_address(asked, "to", selection.to);
    if (!wrong) wrong = read_domain(asked, "domain", selection.domain);
    if (!wrong) wrong = read_domain(asked, "sender_domain", selection.sender_domain);
    if (!wrong) wrong = read_age(asked, "older", now, selection.before);
    if (!wrong) wrong = read_age(asked, "newer", now, selection.after);
    if (wrong) return *wrong;
    if (selection.before && selection.after && *selection.after >= *selection.before)
        return fail(Errc::conflict, "nothing is older and newer than that at once");
    return selection;
}

base::Result<std::size_t> read_limit(const json::object& asked) {
    const std::string word = text_of(asked, "limit");
    if (word.empty()) return base::limits::kListed;
    const auto limit = base::parse_number(word, base::limits::kListedMost);
    if (!limit || *limit == 0) return fail(Errc::syntax, "\"" + word + "\" is no number of rows");
    return static_cast<std::size_t>(*limit);
}

base::Result<std::optional<queue::Selected>> read_after(const json::object& asked) {
    const auto* const value = asked.if_contains("after");
    if (value == nullptr) return std::optional<queue::Selected>();
    const auto place = value->is_object() ? value->as_object() : json::object();
    const auto id = queue::QueueId::parse(text_of(place, "id"));
    const std::int64_t n = number_of(place, "n");
    if (!id || n < 0 || n > UINT32_MAX)
        return fail(Errc::syntax, "\"after\" is no place in a list");
    return std::optional(queue::Selected{*id, static_cast<std::uint32_t>(n), queue::State::queued});
}

json::object write_after(const queue::Selected& place) {
    return {{"id", place.message.to_text()}, {"n", place.n}};
}

}  // namespace app
