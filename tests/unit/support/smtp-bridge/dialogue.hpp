// Dialogues: a script of `C:` and `S:` lines, of which a test plays one part over a real socket.
#pragma once

#include "base/text.hpp"
#include "support/folder.hpp"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
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
    Line(Line&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)),
          buffer_(other.buffer_),
          tls_(std::exchange(other.tls_, nullptr)) {}
    Line& operator=(Line&&) = delete;

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = write(bytes);
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
            const auto more = read_some();
            if (more.empty()) return std::nullopt;
            buffer_ += more;
        }
    }
    /// Whatever comes next; empty at the end.
    std::string read_some() {
        char bytes[4096];
        const auto got =
            tls_ ? SSL_read(tls_.get(), bytes, sizeof bytes) : ::recv(fd_, bytes, sizeof bytes, 0);
        return std::string(bytes, got > 0 ? static_cast<std::size_t>(got) : 0);
    }
    /// Something is there that was not read yet.
    bool has_more() const {
        char byte = 0;
        return !buffer_.empty() || ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
    }
    /// True as soon as the other end has closed, while nothing is read of what it said.
    bool is_left_alone() const {
        pollfd end{fd_, 0, 0};
        return ::poll(&end, 1, 10'000) == 1;
    }
    /// From now on, encrypted; false if the handshake fails. Reads nothing that came in the clear.
    bool start_tls(SSL_CTX* context, bool as_server) {
        // OpenSSL can't be told MSG_NOSIGNAL.
        ::signal(SIGPIPE, SIG_IGN);
        buffer_.clear();
        tls_.reset(SSL_new(context), SSL_free);
        SSL_set_fd(tls_.get(), fd_);
        return (as_server ? SSL_accept(tls_.get()) : SSL_connect(tls_.get())) == 1;
    }
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

  private:
    ssize_t write(std::string_view bytes) const {
        if (tls_) return SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
        return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }

    int fd_;
    std::string buffer_;
    std::shared_ptr<SSL> tls_;  ///< nullptr: in the clear
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
/// expects the other's to start as written. `<end>` is the end of the connection; `<tls>` a
/// handshake, for which `tls` is wanted, and `<no tls>` one that fails; `<nothing>` says that the
/// other has not sent more than what is written above. Empty if all went as written.
inline std::string play(Line& line, std::string_view script, char me, SSL_CTX* tls = nullptr) {
    std::string sending;
    for (std::string_view entry : base::split(script, "\n")) {
        entry = base::trim(entry);
        if (entry.empty()) continue;
        const auto text = entry.size() > 3 ? entry.substr(3) : std::string_view();
        if (text == "<nothing>") {
            if (line.has_more()) return "more was sent than what is asked for";
            continue;
        }
        if (text == "<tls>" || text == "<no tls>") {
            line.send(std::exchange(sending, ""));
            if (line.start_tls(tls, me == 'S') != (text == "<tls>"))
                return "the handshake ended otherwise";
            continue;
        }
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
        start(reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    /// On a port of 127.0.0.1, where there may be TLS; `tls` has to outlive this.
    ScriptedServer(std::vector<std::string> scripts, SSL_CTX* tls)
        : scripts_(std::move(scripts)), tls_(tls), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        start(reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    ~ScriptedServer() { join(); }
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    int port() const {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        return ntohs(address.sin_port);
    }
    /// What went otherwise than written; empty if nothing.
    std::string trouble() {
        join();
        return trouble_;
    }

  private:
    void start(const sockaddr* address, socklen_t size) {
        if (::bind(listener_, address, size) != 0 || ::listen(listener_, 10) != 0)
            throw std::runtime_error("can't listen");
        thread_ = std::thread([this] { serve(); });
    }
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
            trouble_ += play(open.back(), script, 'S', tls_);
        }
    }
    void join() {
        if (!thread_.joinable()) return;
        thread_.join();
        ::close(listener_);
    }

    std::vector<std::string> scripts_;
    SSL_CTX* tls_ = nullptr;
    int listener_;
    std::string trouble_;
    std::thread thread_;
};

}  // namespace dialogue
