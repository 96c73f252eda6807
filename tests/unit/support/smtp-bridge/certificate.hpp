// Certificate: one that has signed itself, with its key, for both ends of a STARTTLS.
#pragma once

#include "smtp-bridge/wire/tls.hpp"
#include "support/folder.hpp"

#include <cstdio>
#include <stdexcept>
#include <string>

#include <boost/asio/ssl.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace fixture {

/// Valid today.
class Certificate {
  public:
    /// `name` as OpenSSL writes a subjectAltName: `DNS:mx.b.test`, `IP:127.0.0.1`.
    explicit Certificate(const std::string& name) {
        EVP_PKEY* const key = EVP_EC_gen("P-256");
        X509* const certificate = X509_new();
        X509_set_version(certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -24L * 60 * 60);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 24L * 60 * 60);
        X509_NAME* const subject = X509_get_subject_name(certificate);
        const auto* const common = reinterpret_cast<const unsigned char*>("test");
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, common, -1, -1, 0);
        X509_set_issuer_name(certificate, subject);
        X509_set_pubkey(certificate, key);
        X509V3_CTX extensions{};
        X509V3_set_ctx(&extensions, certificate, certificate, nullptr, nullptr, 0);
        X509_EXTENSION* const names =
            X509V3_EXT_conf_nid(nullptr, &extensions, NID_subject_alt_name, name.c_str());
        X509_add_ext(certificate, names, -1);
        bool made = X509_sign(certificate, key, EVP_sha256()) > 0;
        std::FILE* file = std::fopen(certificate_file().c_str(), "w");
        made = made && PEM_write_X509(file, certificate) == 1;
        std::fclose(file);
        file = std::fopen(key_file().c_str(), "w");
        made = made && PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr) == 1;
        std::fclose(file);
        X509_EXTENSION_free(names);
        X509_free(certificate);
        EVP_PKEY_free(key);
        if (!made) throw std::runtime_error("no certificate");
    }

    /// For the server whose it is.
    smtp_bridge::TlsContext server() const {
        return smtp_bridge::server_tls(certificate_file(), key_file()).value();
    }
    /// For a client that trusts it, and no other.
    smtp_bridge::TlsContext client() const {
        return smtp_bridge::client_tls(certificate_file()).value();
    }

  private:
    std::string certificate_file() const { return (folder_.path() / "certificate").string(); }
    std::string key_file() const { return (folder_.path() / "key").string(); }

    support::Folder folder_;
};

}  // namespace fixture
