#include "app/daemon/control_verbs.hpp"

#include "app/daemon/complaint_answers.hpp"
#include "app/daemon/control_answers.hpp"
#include "app/daemon/mirror_answers.hpp"
#include "app/daemon/off_answers.hpp"
#include "app/daemon/peer_answers.hpp"
#include "app/daemon/promise_answers.hpp"
#include "app/daemon/route_answers.hpp"
#include "app/daemon/sender_answers.hpp"
#include "app/json_text.hpp"

#include <algorithm>

namespace app {
namespace {

namespace json = boost::json;
using Answer = base::Task<json::object>;

/// What is known without waiting for anybody.
Answer at_once(json::object reply) {
    co_return reply;
}

constexpr ControlVerb kVerbs[] = {
    {"status", Access::everything,
     [](Daemon& daemon, json::object, Asker) { return answer_status(daemon); }},
    {"queue-list", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return answer_queue_list(daemon, std::move(asked));
     }},
    {"queue", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return answer_operate(daemon, std::move(asked));
     }},
    {"verify", Access::everything,
     [](Daemon& daemon, json::object, Asker) { return answer_verify(daemon); }},
    {"backup", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return answer_backup(daemon, text_of(asked, "file"));
     }},
    {"trace", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return answer_trace(daemon, text_of(asked, "name"));
     }},
    {"look-up", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return answer_look_up(daemon, text_of(asked, "domain"));
     }},
    {"mirror", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return answer_mirror(daemon, std::move(asked));
     }},
    {"routes-list", Access::everything,
     [](Daemon& daemon, json::object, Asker) { return at_once(answer_routes(daemon)); }},
    {"routes-forget", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return answer_forget_route(daemon, text_of(asked, "domain"));
     }},
    {"senders-list", Access::everything,
     [](Daemon& daemon, json::object, Asker) { return answer_senders(daemon); }},
    {"senders-forget", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return at_once(answer_forget_sender(daemon, text_of(asked, "name")));
     }},
    {"peers-list", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return answer_peers(daemon, std::move(asked));
     }},
    {"peers-show", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return answer_peer(daemon, text_of(asked, "domain"));
     }},
    {"peers-set", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return answer_set_peer(daemon, std::move(asked));
     }},
    {"peers-forget", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return answer_forget_peer(daemon, text_of(asked, "domain"));
     }},
    {"promise-list", Access::everything,
     [](Daemon& daemon, json::object, Asker) { return at_once(answer_promises(daemon)); }},
    {"promise-show", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return at_once(answer_promise(daemon, text_of(asked, "domain")));
     }},
    {"promise-forget", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return at_once(answer_forget_promise(daemon, text_of(asked, "domain")));
     }},
    {"promise-ours", Access::everything,
     [](Daemon& daemon, json::object, Asker) { return at_once(answer_own_promises(daemon)); }},
    {"retire", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return answer_retire(daemon, text_of(asked, "component"), true);
     }},
    {"resume", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return answer_retire(daemon, text_of(asked, "component"), false);
     }},
    {"off", Access::everything,
     [](Daemon& daemon, json::object asked, Asker) {
         return answer_off(daemon, text_of(asked, "until"));
     }},
    {"on", Access::everything,
     [](Daemon& daemon, json::object, Asker) { return answer_on(daemon); }},
    {"complaint", Access::complaints,
     [](Daemon& daemon, json::object asked, Asker asker) {
         return answer_complaint(daemon, std::move(asked), asker.uid);
     }},
    // Kept free, so that a filter that asks for it hears why nothing happens.
    {"notify", Access::complaints,
     [](Daemon&, json::object, Asker) { return at_once(refusal("notify is not known yet")); }},
};

}  // namespace

const ControlVerb* find_verb(std::string_view name, Access access) {
    const auto* const found = std::ranges::find(kVerbs, name, &ControlVerb::name);
    const bool may = found != std::end(kVerbs) &&
                     (access == Access::everything || found->least == Access::complaints);
    return may ? found : nullptr;
}

}  // namespace app
