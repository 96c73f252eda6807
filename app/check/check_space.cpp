#include "app/check/check_space.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sys/statvfs.h>

namespace app {
namespace {

/// A few large mails more than the reserve: an administrator should hear of it before senders do.
constexpr std::uintmax_t kComfort = std::uintmax_t{200} << 20;
/// A mail that is not small is a file.
constexpr std::uintmax_t kFewFiles = 10'000;

}  // namespace

std::optional<std::string> lack_of_space(const FreeSpace& space, std::uintmax_t reserve) {
    if (space.bytes < reserve)
        return fmt::format("no mail is taken: {} MiB are free, and {} have to stay so",
                           space.bytes >> 20, reserve >> 20);
    if (space.bytes < reserve + kComfort)
        return fmt::format("{} MiB are free; with less than {} no mail is taken", space.bytes >> 20,
                           reserve >> 20);
    if (space.counts_files && space.files < kFewFiles)
        return fmt::format("only {} more files can be made (df -i)", space.files);
    return std::nullopt;
}

void check_space(Findings& findings, const Config& config) {
    const auto& directory = config.store.directory;
    struct statvfs facts {};
    if (::statvfs(directory.c_str(), &facts) != 0) {
        // A reader that is not root need not get there.
        if (errno == EACCES) return;
        return findings.add(
            false, fmt::format("state directory {}: {}", directory.string(), std::strerror(errno)));
    }
    const FreeSpace space{std::uintmax_t{facts.f_bavail} * facts.f_frsize, facts.f_favail,
                          facts.f_files > 0};
    const auto lack = lack_of_space(space, config.store.disk_reserve);
    findings.add(!lack,
                 fmt::format("state directory {}: {}", directory.string(),
                             lack.value_or(fmt::format("{} MiB are free", space.bytes >> 20))));
}

}  // namespace app
