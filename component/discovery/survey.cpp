#include "component/discovery/survey.hpp"

#include "base/task_group.hpp"
#include "component/xml/namespaces.hpp"
#include "component/xml/xml_writer.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace component {
namespace {

using namespace std::chrono_literals;

constexpr auto kAskTime = 40s;      // for one question; a server dials an address for 20 s
constexpr std::size_t kAsked = 10;  // candidates that are asked at the same time

std::string query(std::string_view xmlns) {
    return *XmlWriter().open("query", xmlns).finish();
}

/// The entity, or a server on the way to it, could not be reached; what it would say is not known
/// (RFC 6120 8.3.3).
bool is_unreachable(const StanzaError& error) {
    static constexpr std::string_view kDecided[] = {
        "service-unavailable", "feature-not-implemented", "item-not-found", "not-allowed",
        "forbidden",           "not-authorized",          "bad-request",    "not-acceptable"};
    return std::ranges::find(kDecided, error.condition) == std::end(kDecided) ||
           error.type == "wait";
}

struct Reply {
    std::shared_ptr<const gloox::Tag> iq;  ///< null: no such information
    bool unreachable = false;
    std::string text;
};

Reply understand(IqReply reply) {
    if (const auto* result = std::get_if<TagResult>(&reply)) return {result->iq, false, "answered"};
    if (const auto* error = std::get_if<StanzaError>(&reply))
        return {nullptr, is_unreachable(*error), "answered " + error->to_text()};
    if (const auto* none = std::get_if<NoAnswer>(&reply)) return {nullptr, true, none->error.text};
    return {nullptr, false, "answered something else"};
}

/// Asks as long as there is time for all of the survey.
class Asking {
  public:
    Asking(Link& link, SteadyNow now)
        : link_(link), now_(std::move(now)), end_(now_() + kSurveyTime) {}

    base::Task<Reply> ask(std::string jid, std::string_view xmlns) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - now_());
        if (left <= 0ms) co_return Reply{nullptr, true, "not asked, as the others took too long"};
        std::string payload = query(xmlns);
        const auto limit = std::min<std::chrono::milliseconds>(left, kAskTime);
        auto reply = co_await link_.request(std::move(jid), "get", std::move(payload), limit);
        co_return understand(std::move(reply));
    }

  private:
    Link& link_;
    SteadyNow now_;
    std::chrono::steady_clock::time_point end_;
};

}  // namespace

base::Task<SurveyResult> survey(Link& link, Resolver& resolver, mail::Domain domain,
                                std::string also, SteadyNow now) {
    using Kind = SurveyResult::Kind;
    SurveyResult result;
    Asking asking(link, std::move(now));
    const std::string name = domain.domainpart();
    const auto conclude = [&](Kind kind, std::string why) {
        result.kind = kind;
        result.steps.push_back(why);
        result.why = std::move(why);
    };

    const auto srv = co_await resolver.find_server(domain);
    if (srv == SrvAnswer::absent) {
        conclude(Kind::no_server, "the DNS has no _xmpp-server._tcp." + domain.ascii() + ": " +
                                      name + " has no XMPP server");
        co_return result;
    }
    if (srv == SrvAnswer::denied) {
        result.denied = true;
        conclude(Kind::no_server, "the target of _xmpp-server._tcp." + domain.ascii() +
                                      " is \".\": " + name + " has no XMPP server any more");
        co_return result;
    }
    if (srv == SrvAnswer::unknown) {
        conclude(Kind::unreachable,
                 "the DNS does not answer for _xmpp-server._tcp." + domain.ascii());
        co_return result;
    }
    result.steps.push_back("the DNS names an XMPP server for " + name);
    result.stage = SurveyResult::Stage::domain;

    auto info = co_await asking.ask(name, ns::kDiscoInfo);
    result.steps.push_back("disco#info of " + name + ": " + info.text);
    if (info.unreachable) {
        conclude(Kind::unreachable, name + " cannot be asked over XMPP: " + info.text);
        co_return result;
    }
    if (info.iq) {
        auto said = read_disco_info(*info.iq);
        result.facts.named = std::move(said.mail_addresses);
        if (said.capability) result.facts.forms.emplace(name, std::move(*said.capability));
    }
    std::vector<std::string> candidates;
    if (result.facts.named) {
        candidates = *result.facts.named;
        result.steps.push_back(fmt::format("{} names {} component(s) in mail-transfer-addresses",
                                           name, candidates.size()));
    } else {
        auto items = co_await asking.ask(name, ns::kDiscoItems);
        result.steps.push_back("disco#items of " + name + ": " + items.text);
        if (items.unreachable) {
            conclude(Kind::unreachable, name + " cannot be asked for its items: " + items.text);
            co_return result;
        }
        if (items.iq)
            result.facts.listed = read_disco_items(*items.iq, base::limits::kDiscoItems, domain);
        candidates = result.facts.listed;
    }
    result.stage = SurveyResult::Stage::candidates;
    if (!also.empty() && std::ranges::find(candidates, also) == candidates.end())
        candidates.push_back(also);
    std::erase(candidates, name);

    std::string silent;
    const std::function<base::Task<void>(std::size_t)> ask_candidate =
        [&](std::size_t i) -> base::Task<void> {
        const std::string jid = candidates[i];
        auto reply = co_await asking.ask(jid, ns::kDiscoInfo);
        std::string step = "disco#info of " + jid + ": " + reply.text;
        if (reply.unreachable) silent = jid;
        if (reply.iq) {
            auto said = read_disco_info(*reply.iq);
            step += !said.capability                   ? ", takes no mail"
                    : said.capability->domains.empty() ? ", retires"
                    : said.capability->serves(domain)  ? ", takes mail for " + name
                                                       : ", takes mail, but not for " + name;
            if (said.capability) result.facts.forms.emplace(jid, std::move(*said.capability));
        }
        result.steps.push_back(std::move(step));
    };
    co_await base::for_each(candidates.size(), kAsked, ask_candidate);

    if (silent.empty()) {
        conclude(Kind::complete, fmt::format("{} component(s) below {} say that they take mail",
                                             result.facts.forms.size(), name));
    } else {
        conclude(Kind::unreachable, silent + " does not answer");
    }
    co_return result;
}

}  // namespace component
