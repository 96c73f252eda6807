#include "app/check/check_secret.hpp"

#include "app/config/exposed_secrets.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace app {
namespace {

constexpr const char* kCredentials = "/run/credentials/";  // of systemd's LoadCredential

}  // namespace

void check_secrets(Findings& findings, const Config& config) {
    const auto exposed = exposed_secrets(config);
    for (const auto& file : config.secrets) {
        if (config.unread_secrets.contains(file)) {
            const bool is_credential = file.string().starts_with(kCredentials);
            findings.add(
                is_credential,
                fmt::format("secret in {}: {}", file.string(),
                            is_credential ? "systemd gives it to the service alone, so it is not "
                                            "looked at"
                                          : "it can't be read, or is empty: the service will not "
                                            "start"));
            continue;
        }
        const bool good = std::ranges::find(exposed, file) == exposed.end();
        findings.add(good, good ? fmt::format("secret in {}: not for everybody", file.string())
                                : fmt::format("secret in {}: every account of this machine can "
                                              "read it, and be you with it: chmod o-r {}",
                                              file.string(), file.string()));
    }
}

}  // namespace app
