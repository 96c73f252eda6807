// Hop: a courier and the server that it hands mail to, as the tests of the client see them.
#pragma once

#include "smtp-bridge/client/smtp_courier.hpp"
#include "support/smtp-bridge/fixture.hpp"

#include <boost/asio/ssl.hpp>

namespace fixture {

using Outcomes = std::vector<std::string>;

inline const std::string kHello = R"(
    S: 220 mx.b.test ready
    C: EHLO mail.b.test
    S: 250-mx.b.test at your service
    S: 250-PIPELINING
    S: 250-SIZE 100000
    S: 250-8BITMIME
    S: 250-DSN
    S: 250 SMTPUTF8
)";
inline std::string to_text(const queue::Outcome& outcome) {
    const auto with = [](const char* word, const mail::Reply& reply) {
        return std::string(word) + " " + std::to_string(reply.code) + " " + reply.status.to_text();
    };
    if (const auto* delivered = std::get_if<queue::Delivered>(&outcome))
        return with("delivered", delivered->reply);
    if (const auto* failed = std::get_if<queue::Failed>(&outcome))
        return with("failed", failed->reply);
    if (const auto* deferred = std::get_if<queue::Deferred>(&outcome))
        return with("deferred", deferred->reply);
    if (const auto* held = std::get_if<queue::Held>(&outcome)) return with("held", held->reply);
    return "rerouted";
}

/// A courier whose next hop plays `scripts`, one for each connection.
struct Hop {
    explicit Hop(const std::string& protocol, std::vector<std::string> scripts,
                 ClientTimes times = {}, bool relays = false, queue::OwnerLookup* owners = nullptr)
        : server(folder.socket(), std::move(scripts)),
          target(*Target::parse(protocol + ":unix:" + folder.socket())),
          pools(io.get_executor(), {"mail.b.test", times}),
          courier(io.get_executor(), pools,
                  {{{"", {target}}},
                   relays ? std::vector<Target>{target} : std::vector<Target>{},
                   "mail.b.test",
                   "mail.b.test",
                   {{"mail.b.test", "pkix"}}},
                  owners) {}

    /// What becomes of each recipient.
    std::vector<std::string> deliver(queue::LeasedMessage leased,
                                     queue::Lane lane = queue::Lane::local) {
        std::vector<std::string> outcomes;
        fixture::run(io, [&]() -> base::Task<void> {
            std::vector<queue::LeasedMessage> messages;
            messages.push_back(std::move(leased));
            const queue::Destination destination{lane, "", ""};
            queue::Tell tell = [&](const queue::MessageOutcome& told) {
                for (const auto& recipient : told.recipients)
                    outcomes.push_back(to_text(recipient.outcome));
            };
            co_await courier.deliver(destination, std::move(messages), tell);
        });
        return outcomes;
    }
    /// What went otherwise than written.
    std::string trouble() {
        fixture::run(io, [&]() -> base::Task<void> { co_await pools.stop(); });
        return server.trouble();
    }

    dialogue::Folder folder;
    dialogue::ScriptedServer server;
    asio::io_context io;
    Target target;
    Pools pools;
    SmtpCourier courier;
};

/// One client by itself, and the server that it talks to, which plays `script`.
struct Link {
    Link(const std::string& protocol, const std::string& script)
        : server(folder.socket(), {script}),
          client(*Target::parse(protocol + ":unix:" + folder.socket()), {"mail.b.test", {}}) {}
    /// At 127.0.0.1, over TLS only.
    Link(const std::string& script, TlsContext own, const TlsContext& trusted)
        : tls(std::move(own)),
          server({script}, tls->native_handle()),
          client(*Target::parse("smtp+tls:127.0.0.1:" + std::to_string(server.port())),
                 {"mail.b.test", {}, trusted}) {}

    /// Why there is none; empty if there is.
    std::string open() {
        std::optional<mail::Reply> trouble;
        run(io, [&]() -> base::Task<void> { trouble = co_await client.open(); });
        return trouble ? std::to_string(trouble->code) + " " + trouble->status.to_text() : "";
    }
    SendResult send(const queue::LeasedMessage& leased) {
        SendResult result(leased.envelope.recipients.size());
        run(io, [&]() -> base::Task<void> {
            const Parcel parcel{leased.envelope, "", leased.content};
            co_await client.send(parcel, result);
        });
        return result;
    }
    /// What went otherwise than written.
    std::string trouble() {
        run(io, [&]() -> base::Task<void> { co_await client.quit(); });
        return server.trouble();
    }

    dialogue::Folder folder;
    TlsContext tls;
    dialogue::ScriptedServer server;
    asio::io_context io;
    Client client;
};

}  // namespace fixture
