// postfix_edits: what `packetboat setup` changes in main.cf and master.cf.
//
// What is to be set is decided by pure functions on what is set; postconf(1) writes it, on copies,
// so that comments and order stay.
#pragma once

#include "app/servers/postfix_config.hpp"
#include "base/result.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace app {

inline constexpr const char* kMainCf = "/etc/postfix/main.cf";
inline constexpr const char* kMasterCf = "/etc/postfix/master.cf";
inline constexpr const char* kOwnTable = "lmdb:/var/lib/packetboat/routes";
inline constexpr const char* kHeaderChecks = "/etc/postfix/packetboat-header-checks";

/// main.cf: what its parameters are, defaults included and nothing expanded, and which it sets.
struct MainCf {
    std::map<std::string, std::string> values;
    std::set<std::string> set;

    std::string value(const std::string& name) const;
};

/// Of the files with these texts, as postconf(1) has them.
base::Result<MainCf> read_main_cf(const std::string& main, const std::string& master);
base::Result<PostfixConfig> read_master_cf(const std::string& main, const std::string& master);

/// `name=value`, as postconf -e takes it.
using Assignments = std::vector<std::string>;

/// Nobody but Packetboat writes its field.
Assignments header_check_settings(const MainCf& main);
/// Bytes stay as they are.
Assignments byte_settings(const MainCf& main);
/// The way out: which domains take mail over XMPP. `table`: as transport_maps names it.
Assignments table_settings(const MainCf& main, const std::string& table);
/// Packetboat hears of each recipient, and may slow a sender. `service`: `inet:127.0.0.1:2426`.
Assignments policy_settings(const MainCf& main, const std::string& service);
/// master.cf with the same for services that have restrictions of their own. (postconf -P takes no
/// value with blanks.)
std::string with_service_policy(const PostfixConfig& postfix, const std::string& master);

/// main.cf with these settings.
base::Result<std::string> with_settings(const std::string& main, const Assignments& settings);

/// master.cf with the services of the example, unless they are there.
std::string with_services(const PostfixConfig& postfix, std::string master);

/// main.cf without what is ours in the lists that a change from `before` to `after` has touched,
/// whatever else stands there by now: our table, our policy service, our header checks.
base::Result<std::string> without_ours_in_main(const std::string& main, const std::string& before,
                                               const std::string& after);
/// master.cf without our policy service, and without our services.
base::Result<std::string> without_ours_in_master(const std::string& master);

}  // namespace app
