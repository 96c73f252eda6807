// exposed_secrets: may other accounts of this machine read what nobody else should?
//
// With the component's secret any of them is the mail domain; with a private key, its mail server.
#pragma once

#include "app/config/config.hpp"

#include <filesystem>
#include <vector>

namespace app {

/// Those of Config::secrets that every account can read: by the modes of the file and of the
/// folders that it is in. What can't be looked at is nobody's.
std::vector<std::filesystem::path> exposed_secrets(const Config& config);

}  // namespace app
