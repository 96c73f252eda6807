#include "app/check/check_secret.hpp"

#include "app/config/exposed_secrets.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace app {

void check_secrets(Findings& findings, const Config& config) {
    const auto exposed = exposed_secrets(config);
    for (const auto& file : config.secrets) {
        const bool good = std::ranges::find(exposed, file) == exposed.end();
        findings.add(good, good ? fmt::format("secret in {}: not for everybody", file.string())
                                : fmt::format("secret in {}: every account of this machine can "
                                              "read it, and be you with it: chmod o-r {}",
                                              file.string(), file.string()));
    }
}

}  // namespace app
