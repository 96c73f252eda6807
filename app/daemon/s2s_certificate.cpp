#include "app/daemon/s2s_certificate.hpp"

#include "base/async.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "smtp-bridge/wire/endpoint.hpp"

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
using base::Errc;
using base::fail;
using smtp_bridge::Socket;

constexpr auto kConnectTime = std::chrono::seconds(5);
constexpr auto kTlsTime = std::chrono::seconds(5);
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
base::Task<base::Result<std::string>> read_to(Socket& socket,
                                              const std::vector<std::string_view>& ends) {
    std::string text;
    const auto has_end = [&] {
        return std::ranges::any_of(
            ends, [&](std::string_view end) { return text.find(end) != std::string::npos; });
    };
    std::array<char, 4096> bytes{};
    while (!has_end()) {
        if (text.size() > kAnswer) co_return fail(Errc::io, "it says more than a server does");
        const auto [error, size] =
            co_await socket.async_read_some(asio::buffer(bytes), base::use_result);
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

/// By the names that XMPP has beside that of a host (RFC 6120 13.7.1.2): SRV-ID and XmppAddr.
bool is_for_xmpp(const X509* certificate, const mail::Domain& name) {
    bool found = false;
    auto* const all = static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; all != nullptr && i < sk_GENERAL_NAME_num(all); ++i) {
        const GENERAL_NAME* const each = sk_GENERAL_NAME_value(all, i);
        if (each->type != GEN_OTHERNAME) continue;
        const int kind = OBJ_obj2nid(each->d.otherName->type_id);
        const ASN1_TYPE* const value = each->d.otherName->value;
        if (value->type != V_ASN1_UTF8STRING && value->type != V_ASN1_IA5STRING) continue;
        const std::string_view text(
            reinterpret_cast<const char*>(ASN1_STRING_get0_data(value->value.asn1_string)),
            static_cast<std::size_t>(ASN1_STRING_length(value->value.asn1_string)));
        if (kind == NID_XmppAddr) found = found || base::iequals(text, name.domainpart());
        if (kind == NID_SRVName)
            found = found || base::iequals(text, "_xmpp-server." + name.ascii());
    }
    GENERAL_NAMES_free(all);
    return found;
}

/// What the handshake has brought.
base::Result<S2sCertificate> look_at(SSL* connection, const mail::Domain& name) {
    const std::unique_ptr<X509, void (*)(X509*)> shown(SSL_get1_peer_certificate(connection),
                                                       X509_free);
    if (!shown) return fail(Errc::refused, "it shows no certificate");
    S2sCertificate certificate;
    certificate.names = names_of(shown.get());
    const std::string& ascii = name.ascii();
    certificate.is_for_name =
        X509_check_host(shown.get(), ascii.c_str(), ascii.size(), 0, nullptr) == 1 ||
        is_for_xmpp(shown.get(), name);
    certificate.ends = time_of(X509_get0_notAfter(shown.get()));
    const long found = SSL_get_verify_result(connection);
    // That its own time is over is said by the time; not so that of one above it.
    const bool has_ended = X509_cmp_current_time(X509_get0_notAfter(shown.get())) < 0;
    if (found != X509_V_OK && !(found == X509_V_ERR_CERT_HAS_EXPIRED && has_ended))
        certificate.distrust = X509_verify_cert_error_string(found);
    return certificate;
}

/// Until it is the turn of TLS.
base::Task<base::Result<void>> start_tls(Socket& socket, std::string name) {
    const std::string head = fmt::format(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
        "xmlns:stream='http://etherx.jabber.org/streams' to='{}' version='1.0'>",
        escaped(name));
    co_await asio::async_write(socket, asio::buffer(head), base::use_result);
    // g++ 12 can't keep a list of arguments in a coroutine.
    const std::vector<std::string_view> features{"</stream:features>", "<stream:features/>",
                                                 "</stream:stream>"};
    auto said = co_await read_to(socket, features);
    if (!said) co_return said.error();
    if (said->find(kTlsNamespace) == std::string::npos)
        co_return fail(Errc::refused, "it offers no TLS for " + name);
    const std::string start = fmt::format("<starttls xmlns='{}'/>", kTlsNamespace);
    co_await asio::async_write(socket, asio::buffer(start), base::use_result);
    const std::vector<std::string_view> answers{"<proceed", "<failure", "</stream:stream>"};
    said = co_await read_to(socket, answers);
    if (!said) co_return said.error();
    if (said->find("<proceed") == std::string::npos)
        co_return fail(Errc::refused, "it does not begin with TLS");
    co_return base::Result<void>();
}

base::Task<base::Result<S2sCertificate>> ask(Socket& socket, bool direct_tls, mail::Domain name) {
    if (!direct_tls) {
        const auto started = co_await start_tls(socket, name.domainpart());
        if (!started) co_return started.error();
    }
    ssl::context context(ssl::context::tls_client);
    boost::system::error_code ignored;
    context.set_default_verify_paths(ignored);
    ssl::stream<Socket&> stream(socket, context);
    SSL_set_tlsext_host_name(stream.native_handle(), name.ascii().c_str());
    const auto [failed] =
        co_await stream.async_handshake(ssl::stream_base::client, base::use_result);
    if (failed) co_return fail(Errc::refused, "TLS: " + failed.message());
    co_return look_at(stream.native_handle(), name);
}

}  // namespace

base::Task<base::Result<S2sCertificate>> s2s_certificate(component::ServerAddress server,
                                                         mail::Domain name) {
    auto endpoint =
        smtp_bridge::Endpoint::parse_remote(fmt::format("{}:{}", server.host, server.port));
    if (!endpoint) co_return endpoint.error();
    auto socket = co_await smtp_bridge::connect(std::move(*endpoint), kConnectTime);
    if (!socket) co_return socket.error();
    Socket& connected = *socket;
    const std::function<void()> expire = [&connected] {
        boost::system::error_code unimportant;
        connected.close(unimportant);
    };
    base::Deadline deadline(connected.get_executor(), expire);
    deadline.arm(kTlsTime);
    auto found = co_await ask(connected, server.direct_tls, std::move(name));
    if (!found && deadline.expired()) co_return fail(Errc::timeout, "no answer");
    co_return found;
}

std::optional<std::string> certificate_fault(const S2sCertificate& certificate,
                                             const std::string& name, bool needs_trust,
                                             base::TimePoint now) {
    if (!needs_trust) return std::nullopt;
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
    if (!certificate.distrust.empty()) {
        return fmt::format(
            "it is not vouched for ({}): peers that demand what s2s-assurance = pkix "
            "says refuse it",
            certificate.distrust);
    }
    return std::nullopt;
}

}  // namespace app
