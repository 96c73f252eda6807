// Queue commands: `packetboat queue ...`, what an administrator sees of the queue and does with it.
//
// They ask the running daemon, print, and return the exit status: 0 all is well, 1 something is
// wrong (said on standard error).
//
// Tested by tests/e2e/test_operator.py.
#pragma once

#include "app/config/config.hpp"

#include <string>

#include <boost/json.hpp>

namespace app {

/// `filters`: as selection_json.hpp reads them.
int queue_list(const Config& config, boost::json::object filters, bool as_json);
/// One message: what it is, each recipient's state, and each step so far.
int queue_show(const Config& config, const std::string& id, bool as_json);
/// `verb`: as queue::parse_verb takes it.
int queue_operate(const Config& config, const std::string& verb, boost::json::object filters,
                  bool as_json);

}  // namespace app
