#include "component/protocol/block_codec.hpp"

#include <array>
#include <climits>
#include <stdexcept>

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <openssl/evp.h>

namespace component {
namespace {

// Measured on mail (docs/performance.md): ISA-L's highest level leaves as many bytes as
// libdeflate's lowest, in less than half the time. What comes from outside is libdeflate's, though:
// it says exactly where a stream ends, and has been fuzzed by many.
constexpr int kLevel = 3;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

struct BlockCodec::Deflater {
    isal_zstream stream;
    std::array<std::uint8_t, ISAL_DEF_LVL3_DEFAULT> buffer;
};

void BlockCodec::Free::operator()(Deflater* deflater) const {
    delete deflater;
}

void BlockCodec::Free::operator()(libdeflate_decompressor* decompressor) const {
    libdeflate_free_decompressor(decompressor);
}

BlockCodec::BlockCodec()
    : deflater_(new Deflater()), decompressor_(libdeflate_alloc_decompressor()) {
    if (!decompressor_) throw std::bad_alloc();
}

std::string BlockCodec::deflate(std::string_view bytes) {
    if (bytes.size() < 2 || bytes.size() > UINT32_MAX) return {};
    std::string out(bytes.size() - 1, '\0');
    isal_zstream& stream = deflater_->stream;
    isal_deflate_stateless_init(&stream);
    stream.level = kLevel;
    stream.level_buf = deflater_->buffer.data();
    stream.level_buf_size = static_cast<std::uint32_t>(deflater_->buffer.size());
    stream.end_of_stream = 1;
    // It only reads from there.
    stream.next_in = const_cast<unsigned char*>(bytes_of(bytes));
    stream.avail_in = static_cast<std::uint32_t>(bytes.size());
    stream.next_out = reinterpret_cast<unsigned char*>(out.data());
    stream.avail_out = static_cast<std::uint32_t>(out.size());
    const int result = isal_deflate_stateless(&stream);
    if (result == STATELESS_OVERFLOW) return {};
    if (result != COMP_OK) throw std::logic_error("ISA-L does not know its own settings");
    out.resize(stream.total_out);
    return out;
}

base::Result<std::string> BlockCodec::inflate(std::string_view deflated, std::size_t size) {
    std::string out(size, '\0');
    std::size_t used = 0;
    // Without a place for the actual size, libdeflate takes nothing but exactly out.size() bytes.
    const auto result =
        libdeflate_deflate_decompress_ex(decompressor_.get(), deflated.data(), deflated.size(),
                                         out.data(), out.size(), &used, nullptr);
    if (result == LIBDEFLATE_BAD_DATA)
        return base::fail(base::Errc::syntax, "the block is not deflate");
    if (result != LIBDEFLATE_SUCCESS)
        return base::fail(base::Errc::syntax, "the block does not inflate to its stated size");
    if (used != deflated.size())
        return base::fail(base::Errc::syntax, "there is something behind the block");
    return out;
}

base::Result<std::string> BlockCodec::unpack(std::string_view base64, bool deflated,
                                             std::size_t size) {
    auto bytes = base64_decode(base64);
    if (bytes && deflated) bytes = inflate(*bytes, size);
    if (bytes && bytes->size() != size)
        return base::fail(base::Errc::syntax, "the block does not have its stated size");
    return bytes;
}

std::string base64_encode(std::string_view bytes) {
    if (bytes.size() > INT_MAX / 2) throw std::length_error("base64_encode");
    std::string out(base64_size(bytes.size()) + 1, '\0');  // OpenSSL writes a final NUL
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(bytes),
                                     static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

base::Result<std::string> base64_decode(std::string_view text) {
    const auto bad = [] { return base::fail(base::Errc::syntax, "it is not base64"); };
    if (text.empty()) return std::string();
    if (text.size() % 4 != 0 || text.size() > INT_MAX / 2) return bad();
    // OpenSSL skips white space at both ends (inside it is an error there, too) and takes `=` for
    // `A` anywhere, so look at those first.
    const auto padding = text.find('=');
    const std::size_t pads = padding == std::string_view::npos ? 0 : text.size() - padding;
    if (pads > 2 || (pads == 2 && text.back() != '=')) return bad();
    constexpr std::string_view kBlank = " \t\r\n\v\f-";
    if (kBlank.find(text.front()) != kBlank.npos || kBlank.find(text.back()) != kBlank.npos)
        return bad();
    std::string out(text.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(text),
                                     static_cast<int>(text.size()));
    if (size != static_cast<int>(out.size())) return bad();
    out.erase(out.size() - pads);
    return out;
}

}  // namespace component
