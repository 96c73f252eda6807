#include "app/config/exposed_secrets.hpp"

#include <algorithm>

namespace app {
namespace {

namespace fs = std::filesystem;

bool others_may(const fs::path& path, fs::perms what) {
    std::error_code error;
    const auto status = fs::status(path, error);
    return !error && (status.permissions() & what) != fs::perms::none;
}

bool is_exposed(const fs::path& file) {
    std::error_code error;
    // Where a link leads to; the folder of the link itself does not protect it.
    const fs::path real = fs::canonical(file, error);
    if (error || !others_may(real, fs::perms::others_read)) return false;
    for (fs::path folder = real.parent_path();; folder = folder.parent_path()) {
        if (!others_may(folder, fs::perms::others_exec)) return false;
        if (folder == folder.root_path()) return true;
    }
}

}  // namespace

std::vector<fs::path> exposed_secrets(const Config& config) {
    std::vector<fs::path> exposed;
    std::ranges::copy_if(config.secrets, std::back_inserter(exposed), is_exposed);
    return exposed;
}

}  // namespace app
