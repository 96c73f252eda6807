#include "mail/content.hpp"

#include <cstring>
#include <stdexcept>

#include <openssl/evp.h>

namespace mail {
namespace {

using base::Errc;
using base::fail;

/// Position of `c` in `bytes` from `start` on, or npos.
std::size_t find_byte(std::string_view bytes, char c, std::size_t start) {
    if (start >= bytes.size()) return std::string_view::npos;
    const void* found = std::memchr(bytes.data() + start, c, bytes.size() - start);
    if (found == nullptr) return std::string_view::npos;
    return static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
}

}  // namespace

Sha256 sha256(std::string_view bytes) {
    // Fetched once: OpenSSL 3 looks up the algorithm for each EVP_sha256() otherwise.
    static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    Sha256 digest{};
    if (algorithm == nullptr ||
        EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, algorithm, nullptr) != 1) {
        throw std::runtime_error("OpenSSL has no SHA-256");
    }
    return digest;
}

Content::Content(std::string bytes) {
    auto owned = std::make_shared<const std::string>(std::move(bytes));
    bytes_ = *owned;
    owner_ = std::move(owned);
}

Content::Content(std::shared_ptr<const void> owner, std::string_view bytes)
    : owner_(std::move(owner)), bytes_(bytes) {}

base::Result<void> check_lines(std::string_view bytes) {
    if (find_byte(bytes, '\0', 0) != std::string_view::npos)
        return fail(Errc::protocol, "the message has a NUL");
    for (std::size_t start = 0; start < bytes.size();) {
        const std::size_t cr = find_byte(bytes, '\r', start);
        const std::size_t line_end = cr == std::string_view::npos ? bytes.size() : cr;
        if (find_byte(bytes.substr(0, line_end), '\n', start) != std::string_view::npos)
            return fail(Errc::protocol, "the message has a bare LF");
        if (cr == std::string_view::npos)
            return fail(Errc::protocol, "the message does not end with CRLF");
        if (cr + 1 == bytes.size() || bytes[cr + 1] != '\n')
            return fail(Errc::protocol, "the message has a bare CR");
        start = cr + 2;
    }
    return {};
}

}  // namespace mail
