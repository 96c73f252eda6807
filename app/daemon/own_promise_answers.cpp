#include "app/daemon/own_promise_answers.hpp"

#include "base/limits.hpp"

namespace app {

namespace json = boost::json;

json::object answer_own_promises(const Daemon& daemon) {
    json::array promises;
    for (const auto& view : daemon.promises().views()) {
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
