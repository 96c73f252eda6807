#include "app/setup/asker.hpp"

#include "app/terminal.hpp"
#include "base/text.hpp"

#include <iostream>

#include <fmt/format.h>

namespace app {
namespace {

base::Result<std::string> answer_in(std::istream& input, const std::string& question) {
    std::cout << question << ' ' << std::flush;
    std::string line;
    if (!std::getline(input, line)) {
        std::cout << '\n';
        return base::fail(base::Errc::closed, "nobody answers; --yes agrees to everything");
    }
    return std::string(base::trim(line));
}

}  // namespace

base::Result<bool> Asker::agrees(const std::string& question) {
    if (yes_) return true;
    for (;;) {
        const auto answer = answer_in(input_, question + " [Y/n]");
        if (!answer) return answer.error();
        if (answer->empty() || base::iequals(*answer, "y") || base::iequals(*answer, "yes"))
            return true;
        if (base::iequals(*answer, "n") || base::iequals(*answer, "no")) return false;
        terminal::line("y or n?");
    }
}

base::Result<std::string> Asker::word(const std::string& question, const std::string& proposed) {
    if (yes_) {
        if (!proposed.empty()) return proposed;
        return base::fail(base::Errc::refused, question + " Say it on the command line");
    }
    const std::string hint = proposed.empty() ? "" : " [" + proposed + "]";
    const auto answer = answer_in(input_, question + hint);
    if (!answer) return answer.error();
    if (answer->empty() && proposed.empty())
        return base::fail(base::Errc::refused, "nothing was answered");
    return answer->empty() ? proposed : *answer;
}

}  // namespace app
