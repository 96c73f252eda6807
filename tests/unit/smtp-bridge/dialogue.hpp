// Dialogues: a script of `C:` and `S:` lines, of which a test plays one part over a real socket.
#pragma once

#include "base/text.hpp"
#include "support/folder.hpp"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace dialogue {

using support::Folder;

/// One end of a conversation in lines; blocking, and gives up after ten seconds.
class Line {
  public:
    explicit Line(int fd) : fd_(fd) {
        const timeval limit{10, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
    ~Line() { close(); }
    Line(Line&& other) noexcept : fd_(std::exchange(other.fd_, -1)), buffer_(other.buffer_) {}
    Line& operator=(Line&&) = delete;

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    /// Without its line end; nothing at the end of the connection or when nothing comes.
    std::optional<std::string> read() {
        for (;;) {
            if (const auto newline = buffer_.find('\n'); newline != std::string::npos) {
                std::string line = buffer_.substr(0, newline);
                buffer_.erase(0, newline + 1);
                if (line.ends_with('\r')) line.pop_back();
                return line;
            }
            char bytes[4096];
            const auto got = ::recv(fd_, bytes, sizeof bytes, 0);
            if (got <= 0) return std::nullopt;
            buffer_.append(bytes, static_cast<std::size_t>(got));
        }
    }
    /// Whatever comes next; empty at the end.
    std::string read_some() {
        char bytes[4096];
        const auto got = ::recv(fd_, bytes, sizeof bytes, 0);
        return std::string(bytes, got > 0 ? static_cast<std::size_t>(got) : 0);
    }
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

  private:
    int fd_;
    std::string buffer_;
};

inline sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

inline Line connect(const std::string& path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    const auto address = address_of(path);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("can't connect to " + path);
    return Line(fd);
}

inline Line connect_to_port(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("can't connect to port " + std::to_string(port));
    return Line(fd);
}

/// Plays `me` ('C' or 'S'): sends its lines (those that follow one another in one write), and
/// expects the other's to start as written. `<end>` is the end of the connection. Empty if all went
/// as written.
inline std::string play(Line& line, std::string_view script, char me) {
    std::string sending;
    for (std::string_view entry : base::split(script, "\n")) {
        entry = base::trim(entry);
        if (entry.empty()) continue;
        const auto text = entry.size() > 3 ? entry.substr(3) : std::string_view();
        if (entry.front() == me && text != "<end>") {
            sending += std::string(text) + "\r\n";
            continue;
        }
        line.send(std::exchange(sending, ""));
        if (entry.front() == me) {
            line.close();
            return "";
        }
        const auto got = line.read();
        const bool right = text == "<end>" ? !got : got && got->starts_with(text);
        if (!right)
            return "expected \"" + std::string(text) + "\", got \"" + got.value_or("<end>") + "\"";
    }
    line.send(sending);
    return "";
}

/// LHLO, and whatever the server has (without TLS), for dialogues that are about something else.
inline const std::string kHello =
    "S: 220\nC: LHLO x\nS: 250-\nS: 250-\nS: 250-\nS: 250-\nS: 250-\nS: 250-\nS: 250-\nS: 250-\nS: "
    "250-\nS: 250 ENH\n";
/// The beginning of a mail.
inline const std::string kEnvelope = R"(
    C: MAIL FROM:<alice@a.test>
    C: RCPT TO:<bob@b.test>
    S: 250 2.1.0
    S: 250 2.1.5
)";
/// All of one.
inline const std::string kMail = kEnvelope + R"(
    C: DATA
    S: 354
    C: x
    C: .
    S: 250 2.0.0
)";

/// A server on a Unix socket that plays one script for each connection, one after the other.
class ScriptedServer {
  public:
    ScriptedServer(const std::string& path, std::vector<std::string> scripts)
        : scripts_(std::move(scripts)), listener_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
        const auto address = address_of(path);
        if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(listener_, 10) != 0)
            throw std::runtime_error("can't listen");
        thread_ = std::thread([this] { serve(); });
    }
    ~ScriptedServer() { join(); }
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    /// What went otherwise than written; empty if nothing.
    std::string trouble() {
        join();
        return trouble_;
    }

  private:
    void serve() {
        std::vector<Line> open;  // kept until the end, as a real server would
        for (const auto& script : scripts_) {
            const timeval limit{10, 0};
            ::setsockopt(listener_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
            const int fd = ::accept(listener_, nullptr, nullptr);
            if (fd < 0) {
                trouble_ += "nobody connected; ";
                return;
            }
            open.emplace_back(fd);
            trouble_ += play(open.back(), script, 'S');
        }
    }
    void join() {
        if (!thread_.joinable()) return;
        thread_.join();
        ::close(listener_);
    }

    std::vector<std::string> scripts_;
    int listener_;
    std::string trouble_;
    std::thread thread_;
};

}  // namespace dialogue
