// services: the programs that setup begins anew, by systemd's and their own tools.
//
// Blocks its thread, for a minute at most a call. Errors are Errc::refused, Errc::io or
// Errc::timeout, with what the tool says.
//
// Tested by tests/package/test_setup.py.
#pragma once

#include "app/setup/site.hpp"
#include "base/result.hpp"

#include <functional>
#include <string>

namespace app {

/// Whether systemd runs this machine.
bool has_systemd();
bool is_active(const std::string& unit);
bool is_enabled(const std::string& unit);

/// systemctl with these words.
base::Result<void> systemctl(const std::vector<std::string>& words);

/// `prosody` or `ejabberd`, as unit and as word.
const char* unit_of(XmppServer server);
const char* title_of(XmppServer server);

/// Restarts the XMPP server, and waits until it takes connections from components.
base::Result<void> restart_xmpp(const Site& site);

/// Has Postfix look at its configuration, and take it if it is in order and Postfix runs.
base::Result<void> reload_postfix();

/// Whether anybody may still listen at this port of 127.0.0.1.
bool is_free(std::uint16_t port);

/// Asks until it is so, for 30 seconds; false if it never was.
bool comes_true(const std::function<bool()>& question);

}  // namespace app
