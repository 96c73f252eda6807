#include "app/check/check_names.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace app {
namespace {

bool is_example(std::string_view name) {
    static constexpr std::array<std::string_view, 3> kExamples{"example.org", "example.com",
                                                               "example.net"};
    return std::ranges::any_of(kExamples, [&](std::string_view example) {
        return name.ends_with(example) &&
               (name.size() == example.size() || name[name.size() - example.size() - 1] == '.');
    });
}

}  // namespace

void check_names(Findings& findings, const Config& config) {
    const auto look = [&](const std::string& what, std::string_view name) {
        if (is_example(name))
            findings.add(false, fmt::format("{} is {}, a name of the example", what, name));
    };
    look("[daemon]: hostname", config.hostname);
    if (config.authserv_id != config.hostname) look("[daemon]: authserv-id", config.authserv_id);
    for (const auto& component : config.components) {
        look("[component]: its name", component.jid);
        for (const auto& domain : component.domains)
            look(fmt::format("[component {}]: one of its domains", component.jid), domain.ascii());
        if (component.secret == "change-me") {
            findings.add(false,
                         fmt::format("[component {}]: its secret is that of the example, which "
                                     "everybody knows: make one by `openssl rand -hex 32`",
                                     component.jid));
        }
    }
}

}  // namespace app
