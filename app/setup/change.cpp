#include "app/setup/change.hpp"

#include "app/servers/program.hpp"
#include "app/setup/private_folder.hpp"

#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

namespace app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDiff = "/usr/bin/diff";
constexpr std::uintmax_t kMostBytes = 4u << 20;  // of one file; a large main.cf has 30 KB

base::Error file_failure(const fs::path& file, const std::string& what) {
    return base::fail(base::Errc::io, file.string() + ": " + what);
}

base::Error file_error(const fs::path& file) {
    return file_failure(file, std::generic_category().message(errno));
}

bool write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

/// What has happened to `folder` is on the disk.
bool sync_folder(const fs::path& folder) {
    const int handle = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0) return false;
    const bool synced = ::fsync(handle) == 0;
    ::close(handle);
    return synced;
}

}  // namespace

base::Result<std::string> read_file(const fs::path& file) {
    std::error_code error;
    if (!fs::exists(file, error) && !error)
        return base::fail(base::Errc::not_found, file.string() + ": there is no such file");
    if (!fs::is_regular_file(file, error)) return file_failure(file, "is no file");
    const auto size = fs::file_size(file, error);
    if (error) return file_failure(file, error.message());
    if (size > kMostBytes)
        return base::fail(base::Errc::limit, file.string() + ": is too long to be looked at");
    std::ifstream input(file, std::ios::binary);
    std::ostringstream text;
    if (size > 0 && !(text << input.rdbuf())) return file_failure(file, "can't be read");
    return text.str();
}

gid_t group_of(const char* name) {
    const group* const found = ::getgrnam(name);
    return found == nullptr ? 0 : found->gr_gid;
}

base::Result<std::string> diff_of(const Change& change) {
    if (change.before == change.after) return std::string();
    const PrivateFolder folder;
    if (folder.path().empty())
        return file_failure(fs::temp_directory_path(), "can't be written to");
    const fs::path before = folder.path() / "before";
    const fs::path after = folder.path() / "after";
    const FileOwner mine{0600, ::geteuid(), ::getegid()};
    for (const auto& [file, text] :
         {std::pair(before, change.before.value_or("")), std::pair(after, change.after)}) {
        const auto written = write_file(file, text, mine);
        if (!written) return written.error();
    }
    const std::string name = change.file.string();
    auto answer = run_program({kDiff, "-u", "--label", change.before ? name : "/dev/null",
                               "--label", name, before.string(), after.string()});
    if (!answer) return answer.error();
    if (answer->status > 1) return file_failure(kDiff, "failed");
    return std::move(answer->output);
}

base::Result<void> write_file(const fs::path& file, const std::string& text,
                              const std::optional<FileOwner>& owner) {
    FileOwner its_owner;
    if (owner) {
        its_owner = *owner;
    } else {
        struct stat state {};
        if (::stat(file.c_str(), &state) != 0) return file_error(file);
        its_owner = {state.st_mode & 07777u, state.st_uid, state.st_gid};
    }
    // Beside the file, as only within a folder a name is changed in one go; and not readable for
    // others before it has its owner.
    std::string name = file.string() + ".XXXXXX";
    const int handle = ::mkostemp(name.data(), O_CLOEXEC);
    if (handle < 0) return file_error(file);
    const bool written = write_all(handle, text) &&
                         ::fchown(handle, its_owner.user, its_owner.group) == 0 &&
                         ::fchmod(handle, its_owner.mode) == 0 && ::fsync(handle) == 0;
    const base::Error why = written ? base::Error{} : file_error(file);
    ::close(handle);
    if (!written || ::rename(name.c_str(), file.c_str()) != 0) {
        const base::Error failed = written ? file_error(file) : why;
        ::unlink(name.c_str());
        return failed;
    }
    if (!sync_folder(file.parent_path())) return file_error(file.parent_path());
    return {};
}

}  // namespace app
