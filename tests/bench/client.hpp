// What the benchmark's programs share: their words, and blocking sockets with lines.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>

namespace bench {

/// Says why, and ends the program.
[[noreturn]] void die(const std::string& what);

/// `--name VALUE` and `--flag`.
class Options {
  public:
    Options(int argc, char** argv, const std::set<std::string>& flags);
    bool has(const char* name) const { return values_.contains(name); }
    std::string text(const char* name, const char* otherwise) const;
    std::uint64_t number(const char* name, std::uint64_t otherwise) const;

  private:
    std::map<std::string, std::string> values_;
};

/// `HOST:PORT`; HOST is an address.
sockaddr_in address_of(const std::string& text);
int connect_to(const std::string& text);

/// A connected socket, which it owns. All calls block.
class Line {
  public:
    explicit Line(int fd);
    ~Line();
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    bool send(std::string_view bytes);
    /// Without its CRLF, valid until the next call; false at the end.
    bool read(std::string_view& line);
    /// The payload; valid until the next call.
    std::string_view read_netstring();
    bool has_more() const { return at_ < end_; }

  private:
    bool fill();

    int fd_;
    std::vector<char> buffer_;
    std::size_t at_ = 0;
    std::size_t end_ = 0;
};

}  // namespace bench
