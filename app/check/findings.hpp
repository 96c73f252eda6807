// Findings: what `packetboat check` prints: a line each, good or bad.
//
// Fails never; it remembers whether anything was bad.
//
// Tested by tests/unit/app/check/check_secret_test.cpp.
#pragma once

#include "app/terminal.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace app {

/// Prints lines that begin with "ok" or "BAD", and remembers whether there was a BAD one.
class Findings {
  public:
    void add(bool good, const std::string& text) {
        terminal::line("{:<4} {}", good ? "ok" : "BAD", text);
        bad_ = bad_ || !good;
    }
    /// What is wrong with an XMPP server for a component, a line each; or that it is in order.
    void add_server(std::string_view server, std::string_view component,
                    const std::vector<std::string>& faults) {
        for (const auto& fault : faults)
            add(false, fmt::format("component {}: {}", component, fault));
        if (faults.empty()) {
            add(true, fmt::format("component {}: {} is set for it, and demands what we say",
                                  component, server));
        }
    }
    int exit_status() const { return bad_ ? 1 : 0; }

  private:
    bool bad_ = false;
};

}  // namespace app
