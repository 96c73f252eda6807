#include "app/daemon/s2s_certificate.hpp"

#include "base/async.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <boost/asio/ssl.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/x509v3.h>

namespace app {
namespace {

namespace asio = base::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using base::Errc;
using base::fail;

constexpr auto kAskTime = std::chrono::seconds(10);
constexpr auto kSoon = std::chrono::hours(24 * 14);
constexpr std::size_t kNames = 10;
constexpr std::size_t kAnswer = std::size_t{64} << 10;  // bytes of a stream's head
constexpr std::string_view kTlsNamespace = "urn:ietf:params:xml:ns:xmpp-tls";

/// As an attribute's value.
std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '&') out += "&amp;";
        if (c == '<') out += "&lt;";
        if (c == '\'') out += "&apos;";
        if (c != '&' && c != '<' && c != '\'') out += c;
    }
    return out;
}

/// Reads until one of `ends` is there.
base::Task<base::Result<std::string>> read_to(tcp::socket& socket,
                                              const std::vector<std::string_view>& ends) {
    std::string text;
    const auto has_end = [&] {
        return std::ranges::any_of(
            ends, [&](std::string_view end) { return text.find(end) != std::string::npos; });
    };
    std::array<char, 4096> bytes{};
    while (!has_end()) {
        if (text.size() > kAnswer) co_return fail(Errc::io, "it says more than a server does");
        const auto [error, size] = co_await socket.async_read_some(
            asio::buffer(bytes), asio::as_tuple(asio::use_awaitable));
        if (error) co_return fail(Errc::io, "it speaks no XMPP: " + error.message());
        text.append(bytes.data(), size);
    }
    co_return text;
}

std::vector<std::string> names_of(const X509* certificate) {
    std::vector<std::string> names;
    auto* const all = static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; all != nullptr && i < sk_GENERAL_NAME_num(all) && names.size() < kNames; ++i) {
        const GENERAL_NAME* const each = sk_GENERAL_NAME_value(all, i);
        if (each->type != GEN_DNS) continue;
        const auto* const bytes =
            reinterpret_cast<const char*>(ASN1_STRING_get0_data(each->d.dNSName));
        const auto size = static_cast<std::size_t>(ASN1_STRING_length(each->d.dNSName));
        names.push_back(base::printable({bytes, size}, base::limits::kDomain));
    }
    GENERAL_NAMES_free(all);
    return names;
}

base::TimePoint time_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
    return base::TimePoint(std::chrono::seconds(::timegm(&parts)));
}

/// What the handshake has brought.
base::Result<S2sCertificate> look_at(SSL* connection, const std::string& ascii) {
    const std::unique_ptr<X509, void (*)(X509*)> shown(SSL_get1_peer_certificate(connection),
                                                       X509_free);
    if (!shown) return fail(Errc::refused, "it shows no certificate");
    S2sCertificate certificate;
    certificate.names = names_of(shown.get());
    certificate.is_for_name =
        X509_check_host(shown.get(), ascii.c_str(), ascii.size(), 0, nullptr) == 1;
    certificate.ends = time_of(X509_get0_notAfter(shown.get()));
    const long found = SSL_get_verify_result(connection);
    // That its time is over is said by the time itself.
    if (found != X509_V_OK && found != X509_V_ERR_CERT_HAS_EXPIRED)
        certificate.distrust = X509_verify_cert_error_string(found);
    return certificate;
}

base::Task<base::Result<S2sCertificate>> ask(tcp::socket& socket, ssl::context& context,
                                             component::ServerAddress server, mail::Domain name) {
    tcp::resolver resolver(socket.get_executor());
    const auto [unknown, addresses] = co_await resolver.async_resolve(
        server.host, std::to_string(server.port), asio::as_tuple(asio::use_awaitable));
    if (unknown) co_return fail(Errc::io, unknown.message());
    const auto [refused, where] =
        co_await asio::async_connect(socket, addresses, asio::as_tuple(asio::use_awaitable));
    if (refused) co_return fail(Errc::io, refused.message());
    const std::string head = fmt::format(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
        "xmlns:stream='http://etherx.jabber.org/streams' to='{}' version='1.0'>",
        escaped(name.domainpart()));
    co_await asio::async_write(socket, asio::buffer(head), asio::as_tuple(asio::use_awaitable));
    // g++ 12 can't keep a list of arguments in a coroutine.
    const std::vector<std::string_view> features{"</stream:features>", "<stream:features/>",
                                                 "</stream:stream>"};
    auto said = co_await read_to(socket, features);
    if (!said) co_return said.error();
    if (said->find(kTlsNamespace) == std::string::npos)
        co_return fail(Errc::refused, "it offers no TLS for " + name.domainpart());
    const std::string start = fmt::format("<starttls xmlns='{}'/>", kTlsNamespace);
    co_await asio::async_write(socket, asio::buffer(start), asio::as_tuple(asio::use_awaitable));
    const std::vector<std::string_view> answers{"<proceed", "<failure", "</stream:stream>"};
    said = co_await read_to(socket, answers);
    if (!said) co_return said.error();
    if (said->find("<proceed") == std::string::npos)
        co_return fail(Errc::refused, "it does not begin with TLS");
    ssl::stream<tcp::socket&> stream(socket, context);
    SSL_set_tlsext_host_name(stream.native_handle(), name.ascii().c_str());
    const auto [failed] = co_await stream.async_handshake(ssl::stream_base::client,
                                                          asio::as_tuple(asio::use_awaitable));
    if (failed) co_return fail(Errc::refused, "TLS: " + failed.message());
    co_return look_at(stream.native_handle(), name.ascii());
}

}  // namespace

base::Task<base::Result<S2sCertificate>> s2s_certificate(component::ServerAddress server,
                                                         mail::Domain name) {
    ssl::context context(ssl::context::tls_client);
    boost::system::error_code ignored;
    context.set_default_verify_paths(ignored);
    tcp::socket socket(co_await asio::this_coro::executor);
    base::Deadline deadline(socket.get_executor(), [&socket] {
        boost::system::error_code unimportant;
        socket.close(unimportant);
    });
    deadline.arm(kAskTime);
    auto found = co_await ask(socket, context, std::move(server), std::move(name));
    if (!found && deadline.expired()) co_return fail(Errc::timeout, "no answer");
    co_return found;
}

base::Task<base::Result<std::vector<ShownCertificate>>> s2s_certificates(std::string resolver,
                                                                         mail::Domain name) {
    auto servers = co_await component::find_servers(std::move(resolver), name);
    if (!servers) co_return servers.error();
    std::vector<ShownCertificate> shown;
    for (const component::ServerAddress& server : *servers) {
        auto certificate = co_await s2s_certificate(server, name);
        shown.push_back({server, std::move(certificate)});
    }
    co_return shown;
}

std::optional<std::string> certificate_fault(const S2sCertificate& certificate,
                                             const std::string& name, bool needs_trust,
                                             base::TimePoint now) {
    if (!certificate.is_for_name) {
        return fmt::format("it names {} and not {}: peers refuse such a link",
                           certificate.names.empty()
                               ? "nothing"
                               : fmt::format("{}", fmt::join(certificate.names, ", ")),
                           name);
    }
    if (certificate.ends <= now)
        return fmt::format("it has ended, {}: peers refuse the link",
                           base::to_datetime(certificate.ends));
    if (certificate.ends <= now + kSoon)
        return fmt::format("it ends soon, {}", base::to_datetime(certificate.ends));
    if (needs_trust && !certificate.distrust.empty()) {
        return fmt::format(
            "it is not vouched for ({}): peers that demand what s2s-assurance = pkix "
            "says refuse it",
            certificate.distrust);
    }
    return std::nullopt;
}

}  // namespace app
