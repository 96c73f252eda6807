#include "base/crash_point.hpp"

#ifdef PACKETBOAT_CRASH_POINTS

#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace base {
namespace {

std::string from_environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

void note(const std::string& file, const std::string& name) {
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) return;
    const std::string line = name + "\n";
    (void)!::write(fd, line.data(), line.size());
    ::close(fd);
}

}  // namespace

void crash_point(const char* name) {
    static std::mutex mutex;
    static std::map<std::string, int> visits;
    // With a comma at both ends, so that each name stands between two.
    static const std::string wanted = "," + from_environment("PACKETBOAT_CRASH") + ",";
    static const std::string file = from_environment("PACKETBOAT_CRASH_LOG");
    const std::lock_guard lock(mutex);
    const int visit = ++visits[name];
    if (visit == 1 && !file.empty()) note(file, name);
    if (wanted.find("," + std::string(name) + ":" + std::to_string(visit) + ",") == wanted.npos)
        return;
    // Told apart from a process that was to end here, and was killed by somebody else before.
    if (!file.empty()) note(file, std::string("killed ") + name);
    ::kill(::getpid(), SIGKILL);
}

}  // namespace base

#endif
