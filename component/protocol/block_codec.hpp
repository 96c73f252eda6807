// BlockCodec: raw deflate (RFC 1951) and base64 (RFC 4648 4) of blocks, both bounded and
// strict.
//
// Event loop only; keeps what each way needs (about 0.5 MB) and uses it again. Decoding fails
// with Errc::syntax; inflating never writes more than the size that was stated.
//
// Tested by tests/unit/component/protocol/transfer_codec_test.cpp and tests/fuzz/inflate.cpp.
#pragma once

#include "base/result.hpp"

#include <memory>
#include <string>
#include <string_view>

struct libdeflate_decompressor;

namespace component {

class BlockCodec {
  public:
    BlockCodec();

    /// Raw deflate of `bytes`; empty if that would not be shorter.
    std::string deflate(std::string_view bytes);
    /// The inverse. Errc::syntax unless it is a whole stream of exactly `size` bytes and nothing
    /// behind it.
    base::Result<std::string> inflate(std::string_view deflated, std::size_t size);

    /// A block as it came: base64, and deflated if so said. Errc::syntax unless it has `size`
    /// bytes.
    base::Result<std::string> unpack(std::string_view base64, bool deflated, std::size_t size);

  private:
    struct Deflater;
    struct Free {
        void operator()(Deflater* deflater) const;
        void operator()(libdeflate_decompressor* decompressor) const;
    };
    std::unique_ptr<Deflater, Free> deflater_;
    std::unique_ptr<libdeflate_decompressor, Free> decompressor_;
};

std::string base64_encode(std::string_view bytes);
/// Padded, without white space or any other octet (RFC 4648 3.3). Errc::syntax.
base::Result<std::string> base64_decode(std::string_view text);
constexpr std::size_t base64_size(std::size_t bytes) {
    return (bytes + 2) / 3 * 4;
}

}  // namespace component
