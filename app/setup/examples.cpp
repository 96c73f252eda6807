#include "app/setup/examples.hpp"

#include <stdexcept>
#include <utility>

namespace app {
namespace {

constexpr std::pair<std::string_view, std::string_view> kExamples[] = {
#include "app/examples.inc"
};

}  // namespace

std::string example(std::string_view name) {
    for (const auto& [known, text] : kExamples) {
        if (known == name) return std::string(text);
    }
    throw std::logic_error("no example " + std::string(name));
}

}  // namespace app
