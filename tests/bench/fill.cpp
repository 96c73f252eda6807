// Puts mail into the queue of a daemon that does not run: a long one, faster than by SMTP.
//
//   bench_fill --state DIR --domain D --component JID --messages N --destinations N
//              [--expires-in SECONDS] [--due-in SECONDS] [--size BYTES]
//
// Each destination is an organisation of its own, and each mail has one recipient. The
// store is the program's own, so that the rows are what the program writes.
#include "base/log.hpp"
#include "base/random.hpp"
#include "bench/client.hpp"
#include "bench/mails.hpp"
#include "queue/sqlite/recovery/opening.hpp"
#include "queue/sqlite/store/new_message.hpp"

#include <chrono>

#include <fmt/format.h>

namespace {

using queue::operator""_sql;

using namespace bench;

constexpr std::uint64_t kInACommit = 2'000;

template <class T>
T or_die(base::Result<T> result, const char* what) {
    if (!result) die(fmt::format("{}: {}", what, result.error().text));
    return std::move(*result);
}

}  // namespace

int main(int argc, char** argv) {
    const Options options(argc, argv, {});
    base::log::configure(base::log::Level::error, base::log::Format::text);
    const auto domain = or_die(mail::Domain::parse(options.text("domain", "")), "--domain");
    const std::string component = options.text("component", "");
    const base::SystemClock clock;
    base::SystemRandom random;
    queue::StoreSettings settings;
    settings.directory = options.text("state", "");
    settings.hostname = "mx." + domain.ascii();
    const auto store = or_die(
        queue::open_queue(settings, queue::Router({{domain, component}}, component), clock, random),
        "--state");

    const std::string from = "a@" + domain.ascii();
    const auto content = make_mail(Kind::text, options.number("size", 600), 0, from, "b@dead.test");
    const auto count = options.number("messages", 0);
    const auto destinations = options.number("destinations", 1);
    const auto lifetime = std::chrono::seconds(
        static_cast<std::int64_t>(options.number("expires-in", 5 * 24 * 3600)));
    for (std::uint64_t i = 0; i < count;) {
        store->database().execute("BEGIN IMMEDIATE"_sql);
        for (std::uint64_t j = 0; j < kInACommit && i < count; ++i, ++j) {
            const std::string peer =
                destinations == 1 ? "dead.test" : fmt::format("dead{}.test", i % destinations);
            queue::Arrival arrival;
            arrival.envelope.from = or_die(mail::Mailbox::parse(from), "the sender");
            arrival.envelope.recipients.push_back(
                {0, or_die(mail::Mailbox::parse("b@" + peer), "the recipient"), {}, ""});
            arrival.destinations.push_back({queue::Lane::xmpp, component, peer});
            arrival.content = mail::Content(content);
            arrival.origin.client = "127.0.0.1";
            arrival.expires_at = clock.now() + lifetime;
            if (const auto added = queue::insert_message(*store, arrival); !added)
                die(added.error().text);
        }
        store->database().execute("COMMIT"_sql);
        store->run_actions();
    }
    if (const auto wait = options.number("due-in", 0); wait > 0) {
        const auto due = clock.now() + std::chrono::seconds(static_cast<std::int64_t>(wait));
        queue::Query put_off = store->database().query("UPDATE recipient SET due_at = ?1"_sql);
        put_off.bind(queue::to_millis(due)).run();
    }
}
