#include "app/daemon/routes.hpp"

#include "smtp-bridge/lookup/policy_lookup.hpp"
#include "smtp-bridge/lookup/route_lookup.hpp"

namespace app {

Routes::Routes(const Config& config, const queue::Router& router, queue::SenderCounts& senders)
    : config_(config), router_(router), senders_(senders), table_(router.ours()) {}

base::Result<void> Routes::start(base::asio::any_io_executor main, queue::ClosedLane& lane,
                                 std::function<void(mail::Domain)> miss) {
    using smtp_bridge::LookupServer;
    if (config_.route_table) {
        // What goes over XMPP or not at all must not go by SMTP because we don't know it yet.
        std::set<std::string> listed;
        const auto lanes = router_.lanes();
        for (const auto& [domain, rule] : lanes->special()) {
            if (router_.is_required(domain)) listed.insert(domain);
        }
        for (const auto& domain : table_.xmpp_domains())
            listed.insert(domain);
        for (const auto& domain : router_.bonds()->domains()) {
            if (router_.is_required(domain)) listed.insert(domain);
        }
        file_ = std::make_unique<smtp_bridge::RouteFile>(config_.route_table->file,
                                                         config_.route_table->answer);
        if (auto started = file_->start(listed); !started) return started;
        table_.on_change(
            [this](const std::string& domain, bool xmpp) { list_in_file(domain, xmpp); });
    }
    if (config_.route_lookup) {
        auto lookup = std::make_unique<smtp_bridge::RouteLookup>(config_.route_lookup->answer,
                                                                 table_, router_);
        servers_.push_back(std::make_unique<LookupServer>(config_.route_lookup->server,
                                                          std::move(lookup), main, miss));
    }
    if (config_.policy_service) {
        auto lookup = std::make_unique<smtp_bridge::PolicyLookup>(table_, router_, &senders_,
                                                                  config_.closed_lane, &lane);
        servers_.push_back(
            std::make_unique<LookupServer>(*config_.policy_service, std::move(lookup), main, miss));
    }
    for (const auto& server : servers_) {
        if (auto started = server->start(); !started) return started;
    }
    return {};
}

void Routes::list_in_file(const std::string& domain, bool xmpp) {
    file_->set(domain, xmpp || router_.is_required(domain));
}

void Routes::look_at_policies(const queue::LanePolicy& before) {
    if (!file_) return;
    std::set<std::string> changed;
    const auto now = router_.lanes();
    for (const auto* const policy : {&before, now.get()}) {
        for (const auto& [domain, rule] : policy->special())
            changed.insert(domain);
    }
    for (const std::string& name : changed)
        look_at(name);
}

void Routes::look_at(const std::string& name) {
    if (!file_) return;
    const auto domain = mail::Domain::parse(name);
    list_in_file(name, domain && table_.find(*domain) == queue::Route::xmpp);
}

void Routes::stop() {
    for (const auto& server : servers_)
        server->stop();
    if (file_) file_->stop();
}

}  // namespace app
