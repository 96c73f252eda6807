#include "app/daemon/route_answers.hpp"

#include "app/daemon/control_answers.hpp"
#include "base/limits.hpp"

namespace app {

namespace json = boost::json;

json::object answer_routes(const Daemon& daemon) {
    const queue::Router& router = daemon.router();
    json::array routes;
    std::set<std::string> known;
    const auto has_room = [&] { return routes.size() < base::limits::kListed; };
    const auto all = daemon.discovery().routes(base::limits::kListed + 1);
    for (const auto& route : all) {
        if (!has_room()) break;
        const std::string& domain = route.domain.ascii();
        known.insert(domain);
        routes.push_back(json::object{{"domain", domain},
                                      {"component", route.component},
                                      {"state", route.down ? "down" : "supported"},
                                      {"required", router.is_required(domain)},
                                      {"first_seen", base::to_datetime(route.first_seen)},
                                      {"last_seen", base::to_datetime(route.last_seen)}});
    }
    bool cut = known.size() < all.size();
    // Listed for Postfix whether anything is known of them or not.
    const auto lanes = router.lanes();
    for (const auto& [domain, rule] : lanes->special()) {
        if (!router.rule(domain).required || known.contains(domain)) continue;
        cut = cut || !has_room();
        if (has_room())
            routes.push_back(json::object{{"domain", domain},
                                          {"component", ""},
                                          {"state", "unknown"},
                                          {"required", true},
                                          {"first_seen", ""},
                                          {"last_seen", ""}});
    }
    return {{"ok", true}, {"cut", cut}, {"routes", std::move(routes)}};
}

base::Task<json::object> answer_forget_route(Daemon& daemon, std::string text) {
    const auto domain = mail::Domain::parse(text);
    if (!domain) co_return not_understood(text + ": " + domain.error().text);
    const std::string name = domain->ascii();
    const bool was_known = co_await daemon.discovery().discard(*domain);
    if (!was_known) co_return refusal(name + ": nothing is known of this domain");
    co_return json::object{
        {"ok", true}, {"domain", name}, {"required", daemon.router().is_required(name)}};
}

}  // namespace app
