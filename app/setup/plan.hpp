// Plan: what is to be written, step by step, each for one reason.
//
// Later steps see what earlier ones have made of a file, before any of it is on the disk.
//
// Tested by tests/package/test_setup.py.
#pragma once

#include "app/setup/change.hpp"
#include "app/setup/survey.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace app {

/// FileTexts as they will be, if all that was agreed to is written.
class FileTexts {
  public:
    /// Its text by now; none: there is no such file. A link is followed.
    base::Result<std::optional<std::string>> text(const std::filesystem::path& file);
    void set(const std::filesystem::path& file, std::string text);

  private:
    std::map<std::filesystem::path, std::optional<std::string>> texts_;
};

/// What is asked as one question: all of its changes, or none.
struct Step {
    Part part = Part::packetboat;
    std::string reason;
    /// What it changes. Nothing: it is so already.
    std::function<base::Result<std::vector<Change>>(FileTexts& files)> changes;
};

/// All steps, in the order in which they are taken.
std::vector<Step> steps_for(const Survey& found, const SetupOptions& options);

}  // namespace app
