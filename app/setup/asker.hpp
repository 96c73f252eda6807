// Asker: the administrator's answers, from standard input; or, with --yes, the one that each
// question proposes.
#pragma once

#include "base/result.hpp"

#include <istream>
#include <string>

namespace app {

class Asker {
  public:
    /// `yes`: nobody is asked.
    Asker(std::istream& input, bool yes) : input_(input), yes_(yes) {}

    /// True for an empty answer, too. Errc::closed: the input ends.
    base::Result<bool> agrees(const std::string& question);
    /// A word; an empty answer is `proposed`. Errc::refused if there is none, and nobody is asked.
    base::Result<std::string> word(const std::string& question, const std::string& proposed);

  private:
    std::istream& input_;
    bool yes_;
};

}  // namespace app
