// Folder: a temporary folder of one test, gone afterwards.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace support {

class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "packetboat-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path_ = name;
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    /// How many files the folder `name` in it has.
    std::ptrdiff_t files_in(const std::string& name) const {
        const std::filesystem::directory_iterator each(path_ / name);
        return std::distance(begin(each), end(each));
    }
    std::string socket(const std::string& name = "socket") const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

}  // namespace support
