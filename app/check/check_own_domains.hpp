// check_own_domains: do other domains find, and believe, the component that carries our mail?
//
// Asks the daemon, which asks over XMPP as they do. If it is not in order, no peer can verify our
// mail, and none can send us any.
//
// Tested by tests/e2e/test_own_domains.py.
#pragma once

#include "app/check/findings.hpp"
#include "app/config/config.hpp"

#include <string>
#include <vector>

#include <boost/json.hpp>

namespace app {

/// All domains of the components that are connected and in service, but for `others`, which are
/// looked up anyway. `status`: the daemon's.
void check_own_domains(Findings& findings, const Config& config, const boost::json::object& status,
                       const std::vector<std::string>& others);

/// `answer`: the daemon's to a look-up of `domain`, which is ours.
void report_own_domain(Findings& findings, const std::string& domain,
                       const boost::json::object& answer);

}  // namespace app
