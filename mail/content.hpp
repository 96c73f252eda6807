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

/// A handle on immutable bytes; copies share them. Whoever owns the bytes (a string, a mapped file)
/// lives as long as the last handle.
class Content {
  public:
    Content() = default;
    explicit Content(std::string bytes);
    /// `bytes` stay valid as long as `owner` lives.
    Content(std::shared_ptr<const void> owner, std::string_view bytes);

    std::string_view bytes() const { return bytes_; }
    std::size_t size() const { return bytes_.size(); }

  private:
    std::shared_ptr<const void> owner_;
    std::string_view bytes_;
};

/// What may be handed on (protocol rule 7): only CRLF line ends, no NUL, and it ends with CRLF.
/// Errc::protocol with the reason otherwise.
base::Result<void> check_lines(std::string_view bytes);

}  // namespace mail
