#include "smtp-bridge/wire/tls.hpp"

#include <boost/asio/ssl.hpp>
// The one place where Boost.Asio's TLS is compiled (BOOST_ASIO_SEPARATE_COMPILATION).
#include <boost/asio/ssl/impl/src.hpp>
#include <openssl/ssl.h>

namespace smtp_bridge {
namespace {

namespace ssl = boost::asio::ssl;

base::Error failure(const std::filesystem::path& file, const boost::system::error_code& error) {
    return base::fail(base::Errc::io, file.string() + ": " + error.message());
}

/// RFC 8996: TLS 1.2 at least.
TlsContext make_context(ssl::context::method method) {
    auto context = std::make_shared<ssl::context>(method);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    return context;
}

}  // namespace

base::Result<TlsContext> server_tls(const std::filesystem::path& certificate,
                                    const std::filesystem::path& key) {
    auto context = make_context(ssl::context::tls_server);
    boost::system::error_code error;
    context->use_certificate_chain_file(certificate.string(), error);
    if (error) return failure(certificate, error);
    context->use_private_key_file(key.string(), ssl::context::pem, error);
    if (error) return failure(key, error);
    if (SSL_CTX_check_private_key(context->native_handle()) != 1)
        return base::fail(base::Errc::io,
                          key.string() + ": not the key of " + certificate.string());
    return context;
}

base::Result<TlsContext> client_tls(const std::optional<std::filesystem::path>& authorities) {
    auto context = make_context(ssl::context::tls_client);
    boost::system::error_code error;
    if (authorities)
        context->load_verify_file(authorities->string(), error);
    else
        context->set_default_verify_paths(error);
    if (error) return failure(authorities.value_or("the system's certificates"), error);
    context->set_verify_mode(ssl::verify_peer);
    return context;
}

}  // namespace smtp_bridge
