// Findings: what `packetboat check` prints: a line each, good or bad.
//
// Fails never; it remembers whether anything was bad.
//
// Tested by tests/unit/app/check/check_secret_test.cpp.
#pragma once

#include "app/terminal.hpp"

#include <string>

namespace app {

/// Prints lines that begin with "ok" or "BAD", and remembers whether there was a BAD one.
class Findings {
  public:
    void add(bool good, const std::string& text) {
        terminal::line("{:<4} {}", good ? "ok" : "BAD", text);
        bad_ = bad_ || !good;
    }
    int exit_status() const { return bad_ ? 1 : 0; }

  private:
    bool bad_ = false;
};

}  // namespace app
