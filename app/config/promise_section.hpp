// What [promise] says: for which of our domains we promise that their mail comes over XMPP only.
//
// Tested by tests/unit/app/config/config_test.cpp.
#pragma once

#include "app/config/sections.hpp"
#include "component/stream/link.hpp"
#include "queue/promise_terms.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace app {

/// By component.
using Promised = std::map<std::string, queue::PromiseTerms>;

/// Nothing: it is in `promised`. `components`: all of ours.
std::optional<Fault> read_promise(const Section& section,
                                  const std::vector<component::ComponentSettings>& components,
                                  Promised& promised);

/// What the section of another domain says against a promise: nothing may go by SMTP there.
std::optional<Fault> breaks_promise(const Section& domain);

}  // namespace app
