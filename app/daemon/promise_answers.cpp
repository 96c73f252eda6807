#include "app/daemon/promise_answers.hpp"

#include "app/daemon/control_answers.hpp"
#include "app/daemon/promise_json.hpp"
#include "app/log.hpp"
#include "base/limits.hpp"

namespace app {

namespace json = boost::json;

json::object answer_promises(Daemon& daemon) {
    json::array promises;
    const base::TimePoint now = daemon.clock_trust().look().corrected(base::SystemClock().now());
    for (const auto& promise : daemon.promises().book().list())
        promises.push_back(to_json(promise, now));
    return {{"ok", true}, {"promises", std::move(promises)}};
}

json::object answer_promise(Daemon& daemon, const std::string& text) {
    const auto domain = mail::Domain::parse(text);
    if (!domain) return not_understood(text + ": " + domain.error().text);
    json::value promise = promise_of(daemon, *domain);
    if (promise.is_null()) return refusal(domain->ascii() + ": has promised nothing");
    return {{"ok", true}, {"promise", std::move(promise)}};
}

json::object answer_forget_promise(Daemon& daemon, const std::string& text) {
    const auto domain = mail::Domain::parse(text);
    if (!domain) return not_understood(text + ": " + domain.error().text);
    if (!daemon.promises().forget(*domain))
        return refusal(domain->ascii() + ": has promised nothing");
    log::promise_forgotten(domain->ascii());
    return {{"ok", true}, {"domain", domain->ascii()}};
}

json::object answer_own_promises(const Daemon& daemon) {
    json::array promises;
    for (const auto& view : daemon.own_promises().views()) {
        json::array domains;
        for (const std::string& domain : view.promise.domains)
            domains.emplace_back(domain);
        json::array peers;
        for (const queue::Told& told : view.told) {
            if (peers.size() >= base::limits::kListed) break;
            peers.push_back(json::object{{"peer", told.peer}, {"at", base::to_datetime(told.at)}});
        }
        promises.push_back(json::object{{"component", view.promise.component},
                                        {"domains", std::move(domains)},
                                        {"until", base::to_datetime(view.promise.until)},
                                        {"announced", view.announced},
                                        {"told", view.told.size()},
                                        {"peers", std::move(peers)}});
    }
    return {{"ok", true}, {"promises", std::move(promises)}};
}

}  // namespace app
