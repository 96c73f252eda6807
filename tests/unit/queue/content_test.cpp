#include "queue/content.hpp"

#include "mail/header_scanner.hpp"
#include "queue/disk/content_reader.hpp"
#include "queue/sqlite/admin/backup.hpp"
#include "queue/sqlite/admin/operations.hpp"
#include "support/contents.hpp"
#include "support/queue/fixture.hpp"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <sys/stat.h>

using namespace support;

namespace {

using Bytes = base::Result<mail::Content>;

const std::string kText = [] {
    std::string text = "Subject: large\r\n\r\n";
    for (int i = 0; text.size() < 600'000; ++i)
        text += std::to_string(i) + "\r\n";
    return text;
}();

Bytes read(boost::asio::io_context& io, const queue::Content& content, std::size_t offset,
           std::size_t size) {
    return run<Bytes>(io, [&] { return content.read(offset, size); });
}

/// A file of a queue, and who reads it.
struct Files {
    Files() { std::ofstream(path(), std::ios::binary) << kText; }
    std::filesystem::path path() const { return folder.path() / "content"; }
    base::Result<queue::Content> open(std::size_t size = kText.size()) {
        auto file = queue::ContentFile::open(path(), queue::QueueId{1}, size);
        if (!file) return file.error();
        return reader->content(std::move(*file));
    }

    Folder folder;
    boost::asio::io_context io;
    std::unique_ptr<queue::ContentReader> reader = std::make_unique<queue::ContentReader>();
};

}  // namespace

TEST_CASE("what is in memory is read without a copy, and what is in a file is the same") {
    Files files;
    const queue::Content in_memory{mail::Content(kText)};
    const queue::Content in_file = files.open().value();
    CHECK(in_memory.is_in_memory());
    CHECK_FALSE(in_file.is_in_memory());
    CHECK(in_file.size() == kText.size());
    CHECK(read(files.io, in_memory, 7, 5)->bytes().data() == in_memory.bytes().data() + 7);
    for (const std::size_t offset : {0ul, 1ul, 5000ul, 599'999ul, kText.size(), 1'000'000ul}) {
        for (const std::size_t size : {0ul, 1ul, 5000ul, 700'000ul}) {
            CAPTURE(offset, size);
            const auto expected =
                std::string_view(kText).substr(std::min(offset, kText.size()), size);
            CHECK(read(files.io, in_memory, offset, size)->bytes() == expected);
            CHECK(read(files.io, in_file, offset, size)->bytes() == expected);
        }
    }
    CHECK_THROWS_AS(in_file.bytes(), std::logic_error);
    CHECK(queue::Content().size() == 0);
}

TEST_CASE("a file that is gone, or has another size, is damage; what was opened stays readable") {
    Files files;
    CHECK(files.open(kText.size() + 1).error().code == base::Errc::damaged);
    const queue::Content content = files.open().value();
    std::filesystem::remove(files.path());
    CHECK(files.open().error().code == base::Errc::damaged);
    CHECK(read(files.io, content, 100, 100)->bytes() == kText.substr(100, 100));
}

TEST_CASE("a file that has become shorter is damage where it ends, and no signal") {
    Files files;
    const queue::Content content = files.open().value();
    std::filesystem::resize_file(files.path(), 5000);
    CHECK(read(files.io, content, 0, 5000)->bytes() == kText.substr(0, 5000));
    const auto behind = read(files.io, content, 4000, 1001);
    REQUIRE_FALSE(behind);
    CHECK(behind.error().code == base::Errc::damaged);
    CHECK(behind.error().text == "content " + queue::QueueId{1}.to_text() +
                                     " is 5000 bytes long, not " + std::to_string(kText.size()));
}

TEST_CASE("a disk that does not give a range is an error with its reason") {
    // A folder is a file that can be opened, and not be read.
    const Folder folder;
    std::filesystem::create_directory(folder.path() / "content");
    struct stat facts {};
    REQUIRE(::stat((folder.path() / "content").c_str(), &facts) == 0);
    const auto file = queue::ContentFile::open(folder.path() / "content", queue::QueueId{1},
                                               static_cast<std::size_t>(facts.st_size));
    REQUIRE(file);
    // Some file systems have empty folders.
    if (facts.st_size == 0) return;
    const auto bytes = (*file)->read(0, 1);
    REQUIRE_FALSE(bytes);
    CHECK(bytes.error().code == base::Errc::storage);
    CHECK(bytes.error().text ==
          "content " + queue::QueueId{1}.to_text() + " can't be read: Is a directory");
}

TEST_CASE("a content that outlives the queue can't be read any more") {
    Files files;
    const queue::Content content = files.open().value();
    files.reader.reset();
    CHECK(read(files.io, content, 0, 1).error().code == base::Errc::storage);
}

TEST_CASE("several ranges are read at once, each of which is its own") {
    Files files;
    const queue::Content content = files.open().value();
    int right = 0;
    for (std::size_t i = 0; i < 50; ++i)
        base::spawn(files.io.get_executor(), "read", [&, i]() -> base::Task<void> {
            const auto bytes = co_await content.read(i * 1000, 2000);
            if (bytes && bytes->bytes() == kText.substr(i * 1000, 2000)) ++right;
        });
    files.io.run();
    CHECK(right == 50);
}

TEST_CASE("a header is found whole, however long it is and wherever its reading is cut") {
    const auto header_of = [](const queue::Content& content, std::size_t offset) {
        boost::asio::io_context io;
        return run<Bytes>(io, [&] { return queue::read_header(content, offset); });
    };
    // Lengths around the cuts at 64 KiB and 128 KiB.
    for (const std::size_t length : {10ul, 65'520ul, 65'530ul, 65'534ul, 65'535ul, 65'536ul,
                                     65'537ul, 65'540ul, 131'072ul, 300'000ul}) {
        CAPTURE(length);
        const std::string header = "Subject: " + std::string(length, 'x') + "\r\nTo: bob\r\n y\r\n";
        for (const char* const rest :
             {"", "\r\n", "\r\nbody: no field\r\n", "no field\r\nTo: x\r\n"}) {
            const std::string text = header + rest;
            CHECK(header_of(mail::Content(text), 0)->bytes() == mail::header_of(text));
            CHECK(header_of(slow(text), 0)->bytes() == mail::header_of(text));
            CHECK(header_of(slow("X: y\r\n" + text), 6)->bytes() == mail::header_of(text));
        }
    }
    CHECK(header_of(slow(kText, 0), 0).error().code == base::Errc::storage);
}

TEST_CASE("a large content whose file is damaged is in quarantine, and is left out of a backup") {
    boost::asio::io_context io;  // it outlives the thread that reads
    StoreFixture queue;
    const std::string large = "Subject: x\r\n\r\n" + std::string(600'000, 'x') + "\r\n";
    const auto damaged = queue.add(arrival("alice@a.test", {"bob@b.test"}, large));
    const auto sound = queue.add(arrival("alice@a.test", {"bob@b.test"}, large));
    auto leased = queue.lease(kToB, kReadyB, queue::Portion::large);
    REQUIRE(leased.size() == 1);
    REQUIRE(leased[0].id == damaged);
    // While it is under way.
    const auto file = queue.folder.path() / "content" / damaged.to_text();
    std::filesystem::resize_file(file, 1000);
    const auto error = read(io, leased[0].content, 0, 10'000).error();
    CHECK(error.code == base::Errc::damaged);
    queue.settle({all(leased[0], queue::unreadable(error))});
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 4") == 1);
    CHECK(queue.count("SELECT COUNT(*) FROM message WHERE damage IS NOT NULL") == 1);
    const auto notices = queue.lease(kLocal, kOneByOne);
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].content.bytes().find("delivered as it is") != std::string_view::npos);
    CHECK(notices[0].content.bytes().find("next hop") == std::string_view::npos);

    leased = queue.lease(kToB, kReadyB, queue::Portion::large);
    REQUIRE(leased.size() == 1);
    CHECK(leased[0].id == sound);
    CHECK(all_of(leased[0].content) == large);
    queue.store().database().execute("BEGIN"_sql);
    const auto backup = queue::write_backup(queue.store().database(), queue.store().files(),
                                            queue.folder.path() / "backup");
    queue.store().database().execute("COMMIT"_sql);
    REQUIRE(backup);
    CHECK(backup->missing == 1);
}

TEST_CASE("what the disk does not give now is tried again, as it was") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto first = queue.lease();
    queue.settle({all(first[0], queue::unreadable(base::fail(base::Errc::storage, "EIO")))});
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 3 AND status = '4.3.0'") == 1);
    queue.clock.advance(std::chrono::seconds(64));
    const auto again = queue.lease();
    REQUIRE(again.size() == 1);
    CHECK(again[0].transfer->key == first[0].transfer->key);
}
