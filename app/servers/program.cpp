#include "app/servers/program.hpp"

#include "base/text.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPollMillis = 5;              // between two looks whether it has ended, mostly none
constexpr std::size_t kFailureText = 1024;  // bytes of what a program says when it fails
constexpr std::size_t kProgramOutput = 256u << 10;  // bytes; a long master.cf has a tenth of it

base::Error failure(const std::string& program, const std::string& what) {
    return base::Error{base::Errc::io, program + ": " + what};
}

base::Error system_failure(const std::string& program, int number) {
    return failure(program, std::generic_category().message(number));
}

/// Starts it with the pipe's end `output`; the process, or errno.
base::Result<pid_t> start(const std::vector<std::string>& words, int output) {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (const auto& word : words)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    std::string path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    std::string language = "LC_ALL=C";
    std::array<char*, 3> environment{path.data(), language.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    // Where others may write, a program could find what it takes for a part of itself.
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    pid_t process = 0;
    const int failed = posix_spawn(&process, words.front().c_str(), &actions, nullptr,
                                   arguments.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) return system_failure(words.front(), failed);
    return process;
}

/// All that comes until the other end is closed.
base::Result<std::string> read_all(const std::string& program, int input, Clock::time_point end) {
    std::string output;
    std::array<char, 4096> buffer{};
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
        if (left.count() <= 0) return base::fail(base::Errc::timeout, program + " takes too long");
        pollfd wanted{input, POLLIN, 0};
        const int ready = ::poll(&wanted, 1, static_cast<int>(left.count()));
        if (ready < 0 && errno != EINTR) return system_failure(program, errno);
        if (ready <= 0) continue;
        const ssize_t length = ::read(input, buffer.data(), buffer.size());
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) return system_failure(program, errno);
        if (length == 0) return output;
        output.append(buffer.data(), static_cast<std::size_t>(length));
        if (output.size() > kProgramOutput)
            return base::fail(base::Errc::limit, program + " says too much");
    }
}

/// Its status as of waitpid(2). Beyond `end` it is killed.
int wait_for(pid_t process, Clock::time_point end) {
    int status = 0;
    while (::waitpid(process, &status, WNOHANG) == 0) {
        if (Clock::now() >= end) ::kill(process, SIGKILL);
        ::poll(nullptr, 0, kPollMillis);
    }
    return status;
}

}  // namespace

base::Result<ProgramAnswer> run_program(const std::vector<std::string>& words,
                                        std::chrono::seconds time) {
    const std::string& program = words.front();
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure(program, errno);
    const auto process = start(words, ends[1]);
    ::close(ends[1]);
    if (!process) {
        ::close(ends[0]);
        return process.error();
    }
    const auto end = Clock::now() + time;
    auto output = read_all(program, ends[0], end);
    ::close(ends[0]);
    const int status = wait_for(*process, output ? end : Clock::now());
    if (!output) return output.error();
    if (!WIFEXITED(status)) return failure(program, "ended by a signal");
    return ProgramAnswer{WEXITSTATUS(status), std::move(*output)};
}

base::Result<std::string> output_of(const std::vector<std::string>& words,
                                    std::chrono::seconds time) {
    auto answer = run_program(words, time);
    if (!answer) return answer.error();
    if (answer->status == 0) return std::move(answer->output);
    return failure(words.front(),
                   "failed: " + base::printable(base::trim(answer->output), kFailureText));
}

}  // namespace app
