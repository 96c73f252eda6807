// ClassSections: what the [class NAME] sections say, as rules.
//
// Tested by tests/unit/app/config/class_sections_test.cpp.
#pragma once

#include "app/config/sections.hpp"
#include "component/incoming/class_rules.hpp"

#include <optional>
#include <set>

namespace app {

class ClassSections {
  public:
    /// [class NAME], each once. What it does not say is as usual. Nothing: it is good.
    std::optional<Fault> add(const Section& section);
    const component::ClassRules& rules() const { return rules_; }

  private:
    component::ClassRules rules_;
    std::set<queue::PeerClass> said_;
};

}  // namespace app
