#include "bench/client.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {

void die(const std::string& what) {
    std::fprintf(stderr, "bench: %s\n", what.c_str());
    std::_Exit(1);
}

Options::Options(int argc, char** argv, const std::set<std::string>& flags) {
    for (int i = 1; i < argc; ++i) {
        std::string name = argv[i];
        if (!name.starts_with("--")) die("unknown word " + name);
        name.erase(0, 2);
        values_[name] = flags.contains(name) || i + 1 == argc ? "" : argv[++i];
    }
}

std::string Options::text(const char* name, const char* otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
}

std::uint64_t Options::number(const char* name, std::uint64_t otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : std::stoull(found->second);
}

sockaddr_in address_of(const std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos) die("bad address " + text);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1))));
    if (inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1)
        die("bad address " + text);
    return address;
}

int connect_to(const std::string& text) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const auto address = address_of(text);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        die("can't connect to " + text);
    return fd;
}

Line::Line(int fd) : fd_(fd), buffer_(1u << 16) {
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Line::~Line() {
    ::close(fd_);
}

bool Line::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool Line::read(std::string_view& line) {
    for (;;) {
        const auto* const newline =
            static_cast<const char*>(std::memchr(buffer_.data() + at_, '\n', end_ - at_));
        if (newline != nullptr) {
            const auto length = static_cast<std::size_t>(newline - (buffer_.data() + at_));
            line = {buffer_.data() + at_, length > 0 && newline[-1] == '\r' ? length - 1 : length};
            at_ += length + 1;
            return true;
        }
        if (!fill()) return false;
    }
}

std::string_view Line::read_netstring() {
    for (;;) {
        const char* const start = buffer_.data() + at_;
        const char* const end = buffer_.data() + end_;
        std::size_t length = 0;
        const auto [colon, error] = std::from_chars(start, end, length);
        if (error == std::errc() && colon != end) {
            if (*colon != ':') die("no netstring");
            const auto whole = static_cast<std::size_t>(colon - start) + 1 + length + 1;
            if (end_ - at_ >= whole) {
                at_ += whole;
                return {colon + 1, length};
            }
        }
        if (!fill()) die("the connection was closed");
    }
}

bool Line::fill() {
    if (at_ > 0) std::memmove(buffer_.data(), buffer_.data() + at_, end_ - at_);
    end_ -= at_;
    at_ = 0;
    if (end_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
    const auto got = ::recv(fd_, buffer_.data() + end_, buffer_.size() - end_, 0);
    if (got <= 0) return false;
    end_ += static_cast<std::size_t>(got);
    return true;
}

}  // namespace bench
