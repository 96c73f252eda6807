// check_size: does each intake take mail as large as this machine's Postfix does, and Postfix as
// large as each component? What is larger Postfix returns to its sender, though SMTP would carry
// it; or refuses after we have taken it.
//
// Asks postconf(1). Where there is no Postfix it has nothing to say.
#pragma once

#include "app/check/findings.hpp"
#include "app/config/config.hpp"

#include <cstdint>

namespace app {

void check_size(Findings& findings, const Config& config);

/// `message_size_limit`: of Postfix, in bytes; 0: it has none.
bool takes_all(const smtp_bridge::ListenerSettings& intake, std::uint64_t message_size_limit);

}  // namespace app
