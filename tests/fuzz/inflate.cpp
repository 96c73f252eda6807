// BlockCodec and base64: inflate() gives exactly the stated size or fails; what deflate() and
// base64_encode() write, their inverses read; base64 has one spelling, but for its last bits.
//
// The first three bytes are the stated size.
#include "component/protocol/block_codec.hpp"
#include "fuzz/fuzz.hpp"

using namespace component;
using fuzz::check;

namespace {

constexpr std::size_t kLargest = 1u << 20;     // bytes; what is stated is brought below
constexpr std::size_t kRoundTrip = 64u << 10;  // bytes; more would only be slow

void check_deflate(BlockCodec& codec, std::string_view bytes) {
    const auto deflated = codec.deflate(bytes);
    if (deflated.empty()) return;
    check(deflated.size() < bytes.size(), "deflate() gives what is shorter");
    const auto again = codec.inflate(deflated, bytes.size());
    check(again && *again == bytes, "inflate() is the inverse of deflate()");
    check(!codec.inflate(deflated, bytes.size() - 1), "a smaller size is refused");
    check(!codec.inflate(deflated, bytes.size() + 1), "a larger size is refused");
    check(!codec.inflate(deflated + 'x', bytes.size()), "nothing may stand behind");
}

void check_base64(std::string_view input) {
    const auto encoded = base64_encode(input);
    check(encoded.size() == base64_size(input.size()), "base64_size()");
    const auto decoded = base64_decode(encoded);
    check(decoded && *decoded == input, "base64_decode() is the inverse of base64_encode()");
    const auto read = base64_decode(input);
    if (!read) return;
    const auto written = base64_encode(*read);
    check(written.size() == input.size(), "base64 has no white space");
    // RFC 4648 3.5 leaves it open whether the bits behind the last byte have to be 0.
    const std::size_t sure = input.empty() ? 0 : input.size() - 4;
    check(written.compare(0, sure, input, 0, sure) == 0, "base64 has one spelling");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static BlockCodec codec;
    auto input = fuzz::text_of(data, size);
    check_base64(input);
    check_deflate(codec, input);
    if (size < 3) return 0;
    const auto stated = (static_cast<std::size_t>(data[0]) << 16 |
                         static_cast<std::size_t>(data[1]) << 8 | data[2]) %
                        (kLargest + 1);
    const auto inflated = codec.inflate(input.substr(3), stated);
    if (!inflated) return 0;
    check(inflated->size() == stated, "inflate() gives the stated size");
    if (stated <= kRoundTrip) check_deflate(codec, *inflated);
    return 0;
}
