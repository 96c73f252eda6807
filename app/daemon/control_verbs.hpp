// Control verbs: what can be asked on a control socket, and on which.
//
// A table. Event loop.
//
// Tested by tests/unit/app/daemon/control_verbs_test.cpp and tests/e2e/test_control_socket.py.
#pragma once

#include "app/daemon/daemon.hpp"

#include <cstdint>
#include <string_view>

#include <boost/json.hpp>

namespace app {

/// What a socket is for.
enum class Access : std::uint8_t {
    everything,  ///< the administrator's
    complaints,  ///< for mail filters of users: they may complain, and do nothing to mail
};

/// Who asks, as the system says.
struct Asker {
    Access access = Access::everything;
    std::int64_t uid = -1;  ///< -1: not known
};

struct ControlVerb {
    std::string_view name;
    Access least;  ///< of the socket: that with `complaints` takes nothing else
    base::Task<boost::json::object> (*answer)(Daemon& daemon, boost::json::object asked,
                                              Asker asker);
};

/// Null: there is no such verb on that socket.
const ControlVerb* find_verb(std::string_view name, Access access);

}  // namespace app
