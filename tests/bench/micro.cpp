// Micro-benchmarks of what each mail goes through: header scan, hash, codec, parser, store.
#include "base/log.hpp"
#include "base/random.hpp"
#include "bench/mails.hpp"
#include "component/protocol/block_codec.hpp"
#include "component/protocol/transfer_codec.hpp"
#include "component/stream/xml_reader.hpp"
#include "mail/content.hpp"
#include "mail/header_scanner.hpp"
#include "queue/sqlite/delivery/leases.hpp"
#include "queue/sqlite/delivery/settlement.hpp"
#include "queue/sqlite/intake/arrivals.hpp"
#include "queue/sqlite/recovery/opening.hpp"
#include "queue/sqlite/store/new_message.hpp"
#include "queue/sqlite/store/store.hpp"
#include "smtp-bridge/server/data_reader.hpp"

#include <filesystem>
#include <stdexcept>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

namespace {

using queue::operator""_sql;

constexpr std::size_t kBatch = 16;  // mails in a stanza, or rows in a commit

std::vector<std::string> mails(std::size_t count, std::size_t size) {
    std::vector<std::string> made;
    for (std::size_t i = 0; i < count; ++i)
        made.push_back(bench::make_mail(bench::Kind::text, size, i, "a@a.test", "b@b.test"));
    return made;
}

std::vector<component::OutgoingMessage> outgoing(const std::vector<std::string>& contents) {
    std::vector<component::OutgoingMessage> messages;
    for (std::size_t i = 0; i < contents.size(); ++i) {
        mail::Envelope envelope;
        envelope.from = *mail::Mailbox::parse("a@a.test");
        envelope.recipients.push_back({0, *mail::Mailbox::parse("b@b.test"), {}, ""});
        messages.push_back({{*mail::Domain::parse("a.test"), fmt::format("018f0000{:036x}", i)},
                            envelope,
                            mail::Content(contents[i]),
                            base::TimePoint(std::chrono::hours(500'000))});
    }
    return messages;
}

void set_bytes(benchmark::State& state, std::size_t bytes) {
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}

void header_scan(benchmark::State& state) {
    const auto mail = mails(1, 4096).front();
    for (auto _ : state)
        benchmark::DoNotOptimize(mail::summarize_header(mail));
    set_bytes(state, mail.size());
}
BENCHMARK(header_scan);

void data_reader(benchmark::State& state) {
    const auto mail = mails(1, static_cast<std::size_t>(state.range(0))).front() + ".\r\n";
    for (auto _ : state) {
        smtp_bridge::DataReader reader(SIZE_MAX);
        reader.feed(mail);
        benchmark::DoNotOptimize(reader.take());
    }
    set_bytes(state, mail.size());
}
BENCHMARK(data_reader)->Arg(4096)->Arg(65536);

void sha256(benchmark::State& state) {
    const auto mail = mails(1, 4096).front();
    for (auto _ : state)
        benchmark::DoNotOptimize(mail::sha256(mail));
    set_bytes(state, mail.size());
}
BENCHMARK(sha256);

void encode_batch(benchmark::State& state) {
    const auto messages = outgoing(mails(kBatch, 4096));
    component::BlockCodec codec;
    for (auto _ : state)
        benchmark::DoNotOptimize(component::encode_transfers(messages, {}, codec));
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kBatch));
}
BENCHMARK(encode_batch);

void parse_batch(benchmark::State& state) {
    component::BlockCodec codec;
    const auto payload = *component::encode_transfers(outgoing(mails(kBatch, 4096)), {}, codec);
    const std::string stanza =
        "<iq type='set' id='q' from='mail.a.test' to='mail.b.test'>" + payload + "</iq>";
    component::XmlReader reader;
    const std::string head =
        "<stream:stream xmlns='jabber:component:accept' "
        "xmlns:stream='http://etherx.jabber.org/streams' id='1'>";
    if (!reader.parse(head)) throw std::runtime_error("no stream");
    for (auto _ : state) {
        if (!reader.parse(stanza)) throw std::runtime_error("no stanza");
        auto events = reader.take_events();
        benchmark::DoNotOptimize(events);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kBatch));
    set_bytes(state, stanza.size());
}
BENCHMARK(parse_batch);

void inflate_batch(benchmark::State& state) {
    component::BlockCodec codec;
    std::string all;
    for (const auto& mail : mails(kBatch, 4096))
        all += mail;
    const auto block = component::base64_encode(codec.deflate(all));
    for (auto _ : state)
        benchmark::DoNotOptimize(codec.unpack(block, true, all.size()));
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kBatch));
}
BENCHMARK(inflate_batch);

/// A store in a folder that is gone afterwards.
struct Stored {
    Stored() {
        std::string name = (std::filesystem::temp_directory_path() / "packetboat-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder");
        folder = name;
        queue::StoreSettings settings;
        settings.directory = folder / "state";
        settings.hostname = "mx.a.test";
        auto opened = queue::open_queue(
            settings,
            queue::Router({{*mail::Domain::parse("a.test"), "mail.a.test"}}, "mail.a.test"), clock,
            random);
        if (!opened) throw std::runtime_error(opened.error().text);
        store = std::move(*opened);
    }
    ~Stored() {
        store.reset();
        std::filesystem::remove_all(folder);
    }
    Stored(const Stored&) = delete;
    Stored& operator=(const Stored&) = delete;

    void commit(const std::function<void()>& work) const {
        store->database().execute("BEGIN IMMEDIATE"_sql);
        work();
        store->database().execute("COMMIT"_sql);
        store->run_actions();
    }

    std::filesystem::path folder;
    base::SystemClock clock;
    base::SystemRandom random;
    std::unique_ptr<queue::Store> store;
};

const queue::Destination kToB{queue::Lane::xmpp, "mail.a.test", "b.test"};

queue::Arrival arrival(const std::string& content) {
    queue::Arrival made;
    made.envelope.from = *mail::Mailbox::parse("a@a.test");
    made.envelope.recipients.push_back({0, *mail::Mailbox::parse("b@b.test"), {}, ""});
    made.destinations.push_back(kToB);
    made.content = mail::Content(content);
    made.origin.client = "127.0.0.1";
    made.origin.helo = "mx.a.test";
    return made;
}

/// Intake, lease and settlement of a batch, each one commit, on this machine's temporary folder.
void store_batch(benchmark::State& state) {
    const Stored stored;
    const auto contents = mails(kBatch, 4096);
    std::int64_t rows = 0;
    for (auto _ : state) {
        stored.commit([&] {
            for (const auto& content : contents) {
                if (!queue::insert_message(*stored.store, arrival(content)))
                    throw std::runtime_error("no insert");
            }
        });
        std::vector<queue::LeasedMessage> leased;
        stored.commit([&] {
            auto lease = queue::lease(*stored.store, kToB, {"mail.b.test", {100, 1000, 1u << 20}});
            leased = std::move(lease.value().messages);
        });
        std::vector<queue::MessageOutcome> outcomes;
        for (const auto& message : leased)
            outcomes.push_back(
                {message.id, {{0, queue::Delivered{{250, {2, 1, 5}, "ok"}, "mail.b.test"}}}, true});
        stored.commit([&] {
            if (!queue::settle(*stored.store, outcomes)) throw std::runtime_error("no settlement");
        });
        rows += static_cast<std::int64_t>(leased.size());
    }
    state.SetItemsProcessed(rows);
}
BENCHMARK(store_batch);

constexpr int kRows = 50;  // in a commit

/// What the queue takes of mails of 2 KiB.
void store_intake(benchmark::State& state) {
    const Stored stored;
    const auto contents = mails(kRows, 2048);
    for (auto _ : state) {
        stored.commit([&] {
            for (const auto& content : contents) {
                if (!queue::add_arrival(*stored.store, arrival(content)))
                    throw std::runtime_error("no room");
            }
        });
    }
    state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(store_intake)->UseRealTime();

/// What SQLite itself takes: the same rows, and nothing that the queue does besides.
void sqlite_rows(benchmark::State& state) {
    const Stored stored;
    queue::Database& database = stored.store->database();
    const std::string content = mails(1, 2048).front();
    std::int64_t destination = 0;
    stored.commit([&] { destination = stored.store->number_of(kToB); });
    std::int64_t id = 1;
    for (auto _ : state) {
        stored.commit([&] {
            for (int i = 0; i < kRows; ++i, ++id) {
                database
                    .query(
                        "INSERT INTO message (id, received_at, expires_at, sender, body, "
                        "smtputf8, requiretls, ret, envid, origin_kind, origin_client, "
                        "origin_helo, origin_domain, origin_transfer, origin_component, size, "
                        "message_id, header_from, pending, header_size) VALUES (?1, 1, 2, "
                        "'a@a.test', 0, 0, 0, 0, '', 1, '127.0.0.1', 'mx.a.test', '', '', '', "
                        "2048, '<1234567890@a.test>', 'a@a.test', 1, 300)"_sql)
                    .bind(id)
                    .run();
                queue::Query insert =
                    database.query("INSERT INTO content (message, bytes) VALUES (?1, ?2)"_sql);
                insert->bind(1, id);
                insert->bindNoCopy(2, content.data(), static_cast<int>(content.size()));
                insert.run();
                database
                    .query(
                        "INSERT INTO recipient (message, n, destination, address, notify, "
                        "orcpt, state, attempts, due_at, class) VALUES (?1, 0, ?2, 'b@b.test', "
                        "0, '', 1, 0, ?1, 0)"_sql)
                    .bind(id, destination)
                    .run();
            }
        });
    }
    state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(sqlite_rows)->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
    base::log::configure(base::log::Level::error, base::log::Format::text);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
