// Tls: what the STARTTLS of both our ends needs: certificates, keys and whom we trust.
//
// Made at start-up; afterwards immutable and shared by all connections on the event loop.
//
// Tested by tests/unit/smtp-bridge/client/client_tls_test.cpp.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <memory>
#include <optional>

namespace boost::asio::ssl {
class context;
}

namespace smtp_bridge {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// For a server. `certificate` with its chain, PEM. Errc::io with the file in the text.
base::Result<TlsContext> server_tls(const std::filesystem::path& certificate,
                                    const std::filesystem::path& key);
/// For a client, which verifies the server's certificate (RFC 3207 4.1): against `authorities`
/// (PEM), or else against those that the system trusts. Errc::io with the file in the text.
base::Result<TlsContext> client_tls(const std::optional<std::filesystem::path>& authorities);

}  // namespace smtp_bridge
