// Content: the bytes of a message (header and body, CRLF lines), shared, never changed.
#pragma once

#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mail {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);

/// The same for bytes that come in pieces.
class Sha256Stream {
  public:
    Sha256Stream();
    void add(std::string_view bytes);
    /// The end: nothing may be added afterwards.
    Sha256 finish();

  private:
    std::shared_ptr<void> context_;
};

/// A handle on immutable bytes; copies share them. Whoever owns the bytes (a string, a mapped file)
/// lives as long as the last handle.
class Content {
  public:
    Content() = default;
    explicit Content(std::string bytes);
    /// `bytes` stay valid as long as `owner` lives.
    Content(std::shared_ptr<const void> owner, std::string_view bytes);
    /// The same for a file that is mapped into memory, privately and read-only.
    static Content mapped(std::shared_ptr<const void> owner, std::string_view bytes);

    std::string_view bytes() const { return bytes_; }
    std::size_t size() const { return bytes_.size(); }
    /// The first `size` bytes have been used: if they are a file's, they need not stay in memory.
    /// They can be read again at any time, from the file.
    void forget(std::size_t size) const;

  private:
    std::shared_ptr<const void> owner_;
    std::string_view bytes_;
    bool mapped_ = false;
};

/// What may be handed on (protocol rule 7): only CRLF line ends, no NUL, and it ends with CRLF.
/// Errc::protocol with the reason otherwise.
base::Result<void> check_lines(std::string_view bytes);

/// The same for bytes that come in pieces, cut anywhere.
class LineCheck {
  public:
    void add(std::string_view bytes);
    /// The verdict on all of them.
    base::Result<void> finish() const;

  private:
    const char* fault_ = nullptr;
    char last_ = '\n';
    bool after_cr_ = false;
};

}  // namespace mail
