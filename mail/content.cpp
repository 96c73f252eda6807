#include "mail/content.hpp"

#include <cstring>
#include <new>
#include <stdexcept>

#include <openssl/evp.h>

namespace mail {
namespace {

using base::Errc;
using base::fail;

const EVP_MD* algorithm() {
    // Fetched once: OpenSSL 3 looks up the algorithm for each EVP_sha256() otherwise.
    static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    if (sha256 == nullptr) throw std::runtime_error("OpenSSL has no SHA-256");
    return sha256;
}

void check(int openssl_result) {
    if (openssl_result != 1) throw std::runtime_error("OpenSSL can't compute a SHA-256");
}

/// Position of `c` in `bytes` from `start` on, or npos.
std::size_t find_byte(std::string_view bytes, char c, std::size_t start) {
    if (start >= bytes.size()) return std::string_view::npos;
    const void* found = std::memchr(bytes.data() + start, c, bytes.size() - start);
    if (found == nullptr) return std::string_view::npos;
    return static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
}

}  // namespace

Sha256 sha256(std::string_view bytes) {
    Sha256 digest{};
    check(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, algorithm(), nullptr));
    return digest;
}

Sha256Stream::Sha256Stream()
    : context_(EVP_MD_CTX_new(), [](void* p) { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(p)); }) {
    if (!context_) throw std::bad_alloc();
    check(EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_.get()), algorithm(), nullptr));
}

void Sha256Stream::add(std::string_view bytes) {
    check(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_.get()), bytes.data(), bytes.size()));
}

Sha256 Sha256Stream::finish() {
    Sha256 digest{};
    check(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_.get()), digest.data(), nullptr));
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
    LineCheck check;
    check.add(bytes);
    return check.finish();
}

void LineCheck::add(std::string_view bytes) {
    if (fault_ != nullptr || bytes.empty()) return;
    if (find_byte(bytes, '\0', 0) != std::string_view::npos) {
        fault_ = "the message has a NUL";
        return;
    }
    std::size_t start = 0;
    if (after_cr_) {
        if (bytes.front() != '\n') {
            fault_ = "the message has a bare CR";
            return;
        }
        start = 1;
        after_cr_ = false;
    }
    last_ = bytes.back();
    while (start < bytes.size()) {
        const std::size_t cr = find_byte(bytes, '\r', start);
        const std::size_t line_end = cr == std::string_view::npos ? bytes.size() : cr;
        if (find_byte(bytes.substr(0, line_end), '\n', start) != std::string_view::npos) {
            fault_ = "the message has a bare LF";
            return;
        }
        if (cr == std::string_view::npos) return;
        if (cr + 1 == bytes.size()) {
            after_cr_ = true;
            return;
        }
        if (bytes[cr + 1] != '\n') {
            fault_ = "the message has a bare CR";
            return;
        }
        start = cr + 2;
    }
}

base::Result<void> LineCheck::finish() const {
    if (fault_ != nullptr) return fail(Errc::protocol, fault_);
    if (after_cr_) return fail(Errc::protocol, "the message has a bare CR");
    if (last_ != '\n') return fail(Errc::protocol, "the message does not end with CRLF");
    return {};
}

}  // namespace mail
