// PrivateFolder: a folder for this process alone, gone at the end, for what other programs are to
// read or to change.
//
// Tested by tests/unit/app/setup/change_test.cpp.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace app {

class PrivateFolder {
  public:
    PrivateFolder() {
        std::error_code error;
        auto name = (std::filesystem::temp_directory_path(error) / "packetboat-XXXXXX").string();
        if (!error && ::mkdtemp(name.data()) != nullptr) path_ = name;
    }
    ~PrivateFolder() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }
    PrivateFolder(const PrivateFolder&) = delete;
    PrivateFolder& operator=(const PrivateFolder&) = delete;

    /// Empty: it could not be made.
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace app
