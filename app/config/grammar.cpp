#include "app/config/grammar.hpp"

#include "app/config/values.hpp"
#include "base/limits.hpp"
#include "queue/sender_limits.hpp"
#include "queue/store_settings.hpp"
#include "smtp-bridge/server/listener_settings.hpp"

namespace app {
namespace {

namespace po = boost::program_options;

constexpr std::uint64_t kPromiseDays = 7;
constexpr const char* kDurationHelp = "a duration such as 90s, 5m, 4h or 5d";
constexpr const char* kSizeHelp = "a size such as 4096, 64K or 50M";
constexpr const char* kTextHelp = "a text";
constexpr const char* kPolicyHelp = "prefer or require";
constexpr const char* kTargetHelp =
    "smtp:HOST:PORT, lmtp:HOST:PORT, lmtp:unix:PATH or smtp+tls:HOST:PORT, the best first";
constexpr const char* kNumberHelp = "a number such as 1000";
constexpr const char* kNumberOrNoneHelp = "a number such as 1000, or none";
constexpr const char* kSizeOrNoneHelp = "a size such as 4096, 64K or 50M, or none";
constexpr const char* kBeyondHelp = "log, hold or refuse";
constexpr const char* kFilesHelp = "files with spaces between them";
constexpr const char* kAnswerHelp = "a Postfix transport and next hop";

po::typed_value<Duration>* duration(std::chrono::milliseconds value) {
    return po::value<Duration>()->default_value(Duration{value}, "");
}
po::typed_value<Size>* size(std::uint64_t value) {
    return po::value<Size>()->default_value(Size{value}, "");
}
po::typed_value<Text>* text(const char* value) {
    return po::value<Text>()->default_value(Text{value}, "");
}

}  // namespace

Grammar make_grammar() {
    using std::chrono::hours;
    Grammar grammar;
    grammar.kinds["daemon"].options.add_options()("state-directory", text("/var/lib/packetboat"),
                                                  "a folder")(
        "control-socket", text("/run/packetboat/control.sock"), "a path")(
        "hostname", po::value<Text>()->required(), "this host's name")("authserv-id",
                                                                       po::value<Text>(), "a name")(
        "log-level", text("info"), "debug, info, warning or error")("log-format", text("text"),
                                                                    "text or json");
    grammar.kinds["queue"].options.add_options()("first-retry", duration(std::chrono::minutes(5)),
                                                 kDurationHelp)(
        "max-retry", duration(std::chrono::seconds(4000)), kDurationHelp)(
        "delay-warning", duration(hours(4)), kDurationHelp)("expire-after", duration(hours(24 * 5)),
                                                            kDurationHelp)(
        "peer-messages", size(static_cast<std::uint64_t>(queue::PeerQuota().messages)),
        "a number such as 100000")("peer-bytes",
                                   size(static_cast<std::uint64_t>(queue::PeerQuota().bytes)),
                                   kSizeHelp)("history", duration(hours(24 * 7)), kDurationHelp)(
        "warn-after", duration(hours(1)), kDurationHelp)("policy", text("prefer"), kPolicyHelp)(
        "fallback-after", po::value<Duration>(), kDurationHelp);
    grammar.kinds["component"].named = true;
    grammar.kinds["component"].options.add_options()("server", text("127.0.0.1:5347"), "HOST:PORT")(
        "secret", po::value<Text>(), kTextHelp)("secret-file", po::value<Text>(), "a file")(
        "domains", po::value<Words>()->required(), "mail domains with spaces between them")(
        "max-stanza", size(base::limits::kStanzaOut), kSizeHelp)(
        "max-size", size(base::limits::kMessage), kSizeHelp)(
        "s2s-assurance", text("none"), "pkix, dialback or none")("compress", text("batch"),
                                                                 "batch, each or none");
    grammar.kinds["intake"].named = true;
    grammar.kinds["intake"].options.add_options()("listen", po::value<Text>()->required(),
                                                  "ADDRESS:PORT or unix:PATH")(
        "protocol", text("lmtp"), "lmtp or smtp")(
        "networks", po::value<Words>()->default_value(Words{{"127.0.0.0/8", "::1/128"}}, ""),
        "networks such as 127.0.0.0/8")("max-size", size(smtp_bridge::kIntakeMessage), kSizeHelp)(
        "trusted-networks", po::value<Words>(), "networks such as 127.0.0.0/8")(
        "client-connections", size(base::limits::kClientConnections), "a number such as 100")(
        "client-rate", po::value<Size>(), "a number such as 6000")(
        "tls-certificate", po::value<Text>(), "a file")("tls-key", po::value<Text>(), "a file");
    grammar.kinds["hand-over"].options.add_options()("deliver-to", po::value<Words>()->required(),
                                                     kTargetHelp)(
        "return-to", po::value<Words>(), kTargetHelp)("tls-ca", po::value<Text>(), "a file")(
        "check-recipients", po::value<Switch>()->default_value(Switch{true}, ""), "yes or no")(
        "content-refusal", text(queue::ContentRefusals::kDefault),
        "a status such as 5.7.1, and words of the reply");
    grammar.kinds["route-lookup"].options.add_options()("listen", po::value<Text>()->required(),
                                                        "ADDRESS:PORT or unix:PATH")(
        "answer", po::value<Text>()->required(), kAnswerHelp);
    grammar.kinds["route-table"].options.add_options()("file", po::value<Text>()->required(),
                                                       "a path that ends in .lmdb")(
        "answer", po::value<Text>()->required(), kAnswerHelp);
    grammar.kinds["policy-service"].options.add_options()("listen", po::value<Text>()->required(),
                                                          "ADDRESS:PORT or unix:PATH")(
        "closed-lane", text("log"), "off, log, mark or reject")(
        "networks", po::value<Words>()->default_value(Words{{"127.0.0.0/8", "::1/128"}}, ""),
        "networks such as 127.0.0.0/8")("backup-mx", po::value<Words>(),
                                        "addresses and networks of the site's other MX hosts")(
        "exempt", po::value<Words>(), "domains with spaces between them")(
        "mark-token", po::value<Text>(), "16 to 64 letters and digits")(
        "promised-domains", po::value<Text>(), "a file");
    grammar.kinds["domain"].named = true;
    grammar.kinds["domain"].options.add_options()("policy", po::value<Text>(), kPolicyHelp)(
        "fallback-after", po::value<Duration>(), kDurationHelp)("deliver-to", po::value<Words>(),
                                                                kTargetHelp);
    const queue::SenderRule usual;
    const auto an_hour = [&](queue::Counted what) { return size(usual.limit(what).value_or(0)); };
    grammar.kinds["senders"].options.add_options()("messages-per-hour",
                                                   an_hour(queue::Counted::messages), kNumberHelp)(
        "recipients-per-hour", an_hour(queue::Counted::recipients), kNumberHelp)(
        "unknown-recipients-per-hour", an_hour(queue::Counted::unknown), kNumberHelp)(
        "burst", duration(usual.burst), kDurationHelp)("beyond", text(to_text(usual.beyond)),
                                                       kBeyondHelp)(
        "exempt", po::value<Words>(), "logins, addresses and domains with spaces between them");
    grammar.kinds["sender"].named = true;
    grammar.kinds["sender"].options.add_options()("messages-per-hour", po::value<Size>(),
                                                  kNumberHelp)(
        "recipients-per-hour", po::value<Size>(), kNumberHelp)("unknown-recipients-per-hour",
                                                               po::value<Size>(), kNumberHelp)(
        "burst", po::value<Duration>(), kDurationHelp)("beyond", po::value<Text>(), kBeyondHelp);
    const auto no = [] { return po::value<Switch>()->default_value(Switch{false}, ""); };
    grammar.kinds["complaints"].options.add_options()("send", no(), "yes or no")(
        "take", no(), "yes or no")("batch", duration(hours(24)), kDurationHelp)(
        "abuse-address", po::value<Text>(), "an address")("socket", po::value<Text>(), "a path")(
        "socket-mode", text("0660"), "a mode such as 0660");
    grammar.kinds["lists"].options.add_options()("allow", po::value<Words>(), kFilesHelp)(
        "limit", po::value<Words>(), kFilesHelp)("block", po::value<Words>(), kFilesHelp);
    grammar.kinds["dns-list"].named = true;
    grammar.kinds["dns-list"].options.add_options()("meaning", po::value<Text>()->required(),
                                                    "allow, limit or block")(
        "answers", po::value<Words>(), "addresses such as 127.0.0.2 or 127.0.1.0/24")(
        "test-entry", po::value<Text>(), "a name such as test");
    auto& of_class = grammar.kinds["class"];
    of_class.named = true;
    for (const char* const key : {"messages-per-hour", "recipients-per-hour",
                                  "all-messages-per-hour", "all-recipients-per-hour"})
        of_class.options.add_options()(key, po::value<Limit>(), kNumberOrNoneHelp);
    for (const char* const key : {"bytes-per-hour", "all-bytes-per-hour", "max-size"})
        of_class.options.add_options()(key, po::value<Limit>(), kSizeOrNoneHelp);
    of_class.options.add_options()("burst", po::value<Duration>(), kDurationHelp)(
        "assurance", po::value<Text>(), "pkix, dialback or none")("refuse", po::value<Switch>(),
                                                                  "yes or no");
    grammar.kinds["promise"].options.add_options()("domains", po::value<Words>()->required(),
                                                   "mail domains with spaces between them")(
        "days", size(kPromiseDays), "a number of days, 1 to 14");
    grammar.kinds["discovery"].options.add_options()("resolver", po::value<Text>(),
                                                     "the address of a DNS server")(
        "positive-ttl", duration(hours(24)), kDurationHelp)("negative-ttl", duration(hours(1)),
                                                            kDurationHelp);
    return grammar;
}

}  // namespace app
