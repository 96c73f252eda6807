// Content: the bytes of a message (header and body, CRLF lines), shared, never changed.
#pragma once

#include "base/result.hpp"

#include <algorithm>
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

/// A handle on immutable bytes in memory; copies share them. Whoever owns the bytes lives as long
/// as the last handle.
class Content {
  public:
    Content() = default;
    explicit Content(std::string bytes);
    /// `bytes` stay valid as long as `owner` lives.
    Content(std::shared_ptr<const void> owner, std::string_view bytes);

    std::string_view bytes() const { return bytes_; }
    std::size_t size() const { return bytes_.size(); }
    /// A handle on those from `offset` on: `size` of them, or as many as there are.
    Content slice(std::size_t offset, std::size_t size) const {
        return Content(owner_, bytes_.substr(std::min(offset, bytes_.size()), size));
    }

  private:
    std::shared_ptr<const void> owner_;
    std::string_view bytes_;
};

/// What may be handed on (protocol rule 7): only CRLF line ends (RFC 5321 2.3.8), no NUL, and it
/// ends with CRLF. Errc::protocol with the reason otherwise.
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
