// The benchmark's mails: as people and programs write them, each one distinct, from a seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace bench {

enum class Kind { text, html, base64 };

/// A whole message of about `size` bytes with CRLF line ends, whose X-Bench field says `number`.
/// Text deflates to about half, HTML to a third; base64 hardly beyond what the encoding costs. The
/// same number gives the same mail.
std::string make_mail(Kind kind, std::size_t size, std::uint64_t number, const std::string& from,
                      const std::string& to);

}  // namespace bench
