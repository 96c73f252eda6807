// The table that Postfix reads by itself, looked at as Postfix does.
#include "smtp-bridge/lookup/route_file.hpp"

#include "mail/domain.hpp"
#include "support/folder.hpp"
#include "support/log_lines.hpp"

#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <optional>
#include <thread>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <lmdb.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using smtp_bridge::RouteFile;

namespace {

std::map<std::string, std::string> read(const std::string& file) {
    MDB_env* env = nullptr;
    REQUIRE(mdb_env_create(&env) == 0);
    REQUIRE(mdb_env_open(env, file.c_str(), MDB_NOSUBDIR | MDB_NOLOCK | MDB_RDONLY, 0) == 0);
    MDB_txn* transaction = nullptr;
    REQUIRE(mdb_txn_begin(env, nullptr, MDB_RDONLY, &transaction) == 0);
    MDB_dbi table = 0;
    REQUIRE(mdb_dbi_open(transaction, nullptr, 0, &table) == 0);
    MDB_cursor* cursor = nullptr;
    REQUIRE(mdb_cursor_open(transaction, table, &cursor) == 0);
    std::map<std::string, std::string> rows;
    MDB_val key{};
    MDB_val value{};
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0)
        rows.emplace(std::string(static_cast<char*>(key.mv_data), key.mv_size),
                     std::string(static_cast<char*>(value.mv_data), value.mv_size));
    mdb_cursor_close(cursor);
    mdb_txn_abort(transaction);
    mdb_env_close(env);
    return rows;
}

using Rows = std::map<std::string, std::string>;

/// Another process, such as Postfix's, that has a lock for reading on `file` until it is let go;
/// from then on it waits for one on `wanted`, if there is any.
class Locker {
  public:
    explicit Locker(const std::string& file, const std::string& wanted = "") {
        int ready[2];
        REQUIRE(::pipe(ready) == 0);
        process_ = ::fork();
        if (process_ == 0) {
            // Only what is safe in a child of a process with threads.
            const char byte = lock(::open(file.c_str(), O_RDONLY), F_RDLCK) ? 'y' : 'n';
            if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
            if (!wanted.empty()) lock(::open(wanted.c_str(), O_RDWR), F_WRLCK);
            for (;;)
                ::pause();
        }
        ::close(ready[1]);
        char byte = 'n';
        CHECK(::read(ready[0], &byte, 1) == 1);
        CHECK(byte == 'y');
        ::close(ready[0]);
    }
    ~Locker() { let_go(); }
    Locker(const Locker&) = delete;
    Locker& operator=(const Locker&) = delete;

    void let_go() {
        if (process_ <= 0) return;
        ::kill(process_, SIGKILL);
        ::waitpid(std::exchange(process_, 0), nullptr, 0);
    }
    static bool lock(int descriptor, short type) {
        struct flock lock {};
        lock.l_type = type;
        lock.l_whence = SEEK_SET;
        return ::fcntl(descriptor, F_SETLKW, &lock) == 0;
    }

  private:
    pid_t process_ = 0;
};

/// How many wait for a lock on `file`, as the kernel says (proc_locks(5)).
int waiting_for(const std::string& file) {
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    const std::string inode = ":" + std::to_string(status.st_ino) + " ";
    std::ifstream locks("/proc/locks");
    int count = 0;
    for (std::string line; std::getline(locks, line);)
        count += line.find("-> ") != line.npos && line.find(inode) != line.npos ? 1 : 0;
    return count;
}

/// While it lives, no file can grow, as on a full disk.
class FullDisk {
  public:
    FullDisk() {
        std::signal(SIGXFSZ, SIG_IGN);
        REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
        struct rlimit none = before_;
        none.rlim_cur = 0;
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &none) == 0);
    }
    ~FullDisk() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, SIG_DFL);
    }
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;

  private:
    struct rlimit before_ {};
};

bool soon(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

}  // namespace

TEST_CASE("the file lists what it is told, at the start and afterwards, and survives its writer") {
    const support::Folder folder;
    const std::string file = (folder.path() / "routes.lmdb").string();
    {
        RouteFile table(file, "lmtp:x");
        REQUIRE(table.start({"b.test", "old.test"}));
        CHECK(read(file) == Rows{{"b.test", "lmtp:x"}, {"old.test", "lmtp:x"}});
        table.set("c.test", true);
        table.set("old.test", false);
        table.set("never.test", false);
        table.stop();
    }
    CHECK(read(file) == Rows{{"b.test", "lmtp:x"}, {"c.test", "lmtp:x"}});
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0644);
    RouteFile again(file, "lmtp:y");
    REQUIRE(again.start({"d.test"}));
    CHECK(read(file) == Rows{{"d.test", "lmtp:y"}});
}

TEST_CASE("all domains that can be known have room") {
    const support::Folder folder;
    const std::string file = (folder.path() / "routes.lmdb").string();
    std::set<std::string> domains;
    for (int i = 0; i < 100'000; ++i)
        domains.insert("a-name-of-usual-length-" + std::to_string(i) + ".example.org");
    RouteFile table(file, "lmtp:inet:[127.0.0.1]:2424");
    REQUIRE(table.start(domains));
    CHECK(read(file).size() == domains.size());
}

TEST_CASE("Postfix can read the file, whatever our umask is") {
    const support::Folder folder;
    const std::string file = (folder.path() / "routes.lmdb").string();
    const mode_t before = ::umask(0077);
    RouteFile table(file, "lmtp:x");
    const auto started = table.start({"b.test"});
    ::umask(before);
    REQUIRE(started);
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0644);
}

TEST_CASE("a folder that is not there is said at the start") {
    RouteFile table("/nowhere/at/all/routes.lmdb", "lmtp:x");
    const auto started = table.start({});
    REQUIRE_FALSE(started);
    CHECK(started.error().text.starts_with("/nowhere/at/all/routes.lmdb: "));
}

TEST_CASE("a disk that takes nothing stops no start; the table is made once it does") {
    const support::Folder folder;
    const std::string file = (folder.path() / "routes.lmdb").string();
    {
        RouteFile before(file, "lmtp:x");
        REQUIRE(before.start({"old.test"}));
    }
    std::optional<FullDisk> full(std::in_place);
    RouteFile table(file, "lmtp:y", std::chrono::milliseconds(20));
    const auto started = table.start({"b.test", "gone.test"});
    table.set("c.test", true);
    table.set("gone.test", false);
    RouteFile empty(file + ".lmdb", "lmtp:y", std::chrono::milliseconds(20));
    const auto nothing = empty.start({});
    const bool tried = soon([&] { return table.failures() >= 3 && empty.failures() >= 3; });
    const auto meanwhile = read(file);
    full.reset();
    REQUIRE(started);
    REQUIRE(nothing);
    CHECK(tried);
    CHECK(meanwhile == Rows{{"old.test", "lmtp:x"}});
    CHECK(soon([&] { return !read(file).contains("old.test"); }));
    CHECK(soon([&] { return std::filesystem::exists(file + ".lmdb"); }));
    table.stop();
    CHECK(read(file) == Rows{{"b.test", "lmtp:y"}, {"c.test", "lmtp:y"}});
}

TEST_CASE("whatever is in the file's place, the table is made anew") {
    const support::Folder folder;
    const std::string file = (folder.path() / "routes.lmdb").string();
    std::set<std::string> domains;
    for (int i = 0; i < 2'000; ++i)
        domains.insert("d" + std::to_string(i) + ".test");
    const auto write = [](const std::string& path, const std::string& bytes) {
        std::ofstream(path, std::ios::binary) << bytes;
    };
    REQUIRE(RouteFile(file, "lmtp:x").start(domains));
    std::ifstream whole(file, std::ios::binary);
    const std::string sound{std::istreambuf_iterator<char>(whole), {}};
    REQUIRE(sound.size() > 8 * 4096);

    SECTION("what is no table at all") {
        support::LogLines lines;
        write(file, std::string(9'000, 'x'));
        REQUIRE(RouteFile(file, "lmtp:x").start({"b.test"}));
        CHECK(lines.count("route-table-made-again") == 1);
    }
    SECTION("a sound one, or none, without a word") {
        support::LogLines lines;
        REQUIRE(RouteFile(file, "lmtp:x").start({"b.test"}));
        std::filesystem::remove(file);
        REQUIRE(RouteFile(file, "lmtp:x").start({"b.test"}));
        CHECK(lines.count("route-table-made-again") == 0);
    }
    SECTION("an empty one") {
        write(file, "");
    }
    SECTION("cut off behind its first pages") {
        write(file, sound.substr(0, 3 * 4096));
    }
    SECTION("damaged inside") {
        write(file, sound.substr(0, 2 * 4096) + std::string(sound.size() - 2 * 4096, '\xFF'));
    }
    SECTION("what a start that was cut off has left") {
        write(file + ".new", sound.substr(0, 5'000));
    }
    SECTION("a link to where the table is") {
        const auto other = folder.path() / "elsewhere.lmdb";
        std::filesystem::rename(file, other);
        std::filesystem::create_symlink(other, file);
        REQUIRE(RouteFile(file, "lmtp:x").start({"b.test"}));
        CHECK(std::filesystem::is_symlink(file));
        CHECK(read(other.string()) == Rows{{"b.test", "lmtp:x"}});
    }
    RouteFile table(file, "lmtp:x");
    REQUIRE(table.start({"b.test"}));
    table.set("c.test", true);
    table.stop();
    CHECK(read(file) == Rows{{"b.test", "lmtp:x"}, {"c.test", "lmtp:x"}});
    CHECK_FALSE(std::filesystem::exists(file + ".new"));
}

TEST_CASE("a domain is listed, and taken out, in all of its spellings") {
    const support::Folder folder;
    const std::string file = (folder.path() / "routes.lmdb").string();
    const std::string buecher =
        "b\xC3\xBC"
        "cher.test";
    {
        RouteFile table(file, "lmtp:x");
        REQUIRE(table.start({"xn--bcher-kva.test"}));
        CHECK(read(file) == Rows{{buecher, "lmtp:x"}, {"xn--bcher-kva.test", "lmtp:x"}});
        table.set("xn--bcher-kva.test", false);
        table.set("mail.xn--bcher-kva.test", true);
        table.stop();
    }
    CHECK(read(file) == Rows{{"mail." + buecher, "lmtp:x"}, {"mail.xn--bcher-kva.test", "lmtp:x"}});
}

TEST_CASE("a name whose U-labels no table can have keeps the others from nothing") {
    const support::Folder folder;
    const std::string file = (folder.path() / "routes.lmdb").string();
    // 20 times the same ideograph: 60 octets in UTF-8, and far less as an A-label.
    std::string label;
    for (int i = 0; i < 40; ++i)
        label += "\xE4\xBE\x8B";
    const auto peer =
        mail::Domain::parse(label + "." + label + "." + label + "." + label + ".test");
    REQUIRE(peer);
    REQUIRE(peer->unicode().size() > 480);
    const auto longer = mail::Domain::parse(label + "." + peer->unicode());
    REQUIRE(longer);
    REQUIRE(longer->unicode().size() > 511);
    RouteFile table(file, "lmtp:x");
    REQUIRE(table.start({longer->ascii(), "b.test"}));
    CHECK(read(file) == Rows{{"b.test", "lmtp:x"}, {longer->ascii(), "lmtp:x"}});
}

TEST_CASE("while Postfix has its lock for reading, nothing is written") {
    const support::Folder folder;
    const std::string file = (folder.path() / "routes.lmdb").string();
    RouteFile table(file, "lmtp:x");
    REQUIRE(table.start({"b.test"}));
    Locker postfix(file);
    table.set("c.test", true);
    CHECK(soon([&] { return waiting_for(file) == 1; }));
    CHECK(read(file) == Rows{{"b.test", "lmtp:x"}});
    postfix.let_go();
    table.stop();
    CHECK(read(file) == Rows{{"b.test", "lmtp:x"}, {"c.test", "lmtp:x"}});
}

TEST_CASE("without the lock nothing is written, and the change is tried again by itself") {
    const support::Folder folder;
    const std::string file = (folder.path() / "routes.lmdb").string();
    const std::string other = (folder.path() / "other").string();
    RouteFile table(file, "lmtp:x", std::chrono::milliseconds(20));
    REQUIRE(table.start({"b.test"}));
    const int ours = ::open(other.c_str(), O_RDWR | O_CREAT, 0600);
    REQUIRE(Locker::lock(ours, F_WRLCK));
    {
        // It waits for us, so that we can't wait for it: EDEADLK.
        Locker postfix(file, other);
        REQUIRE(soon([&] { return waiting_for(other) == 1; }));
        const auto failed = table.failures();
        table.set("c.test", true);
        CHECK(soon([&] { return table.failures() >= failed + 2; }));
        CHECK(read(file) == Rows{{"b.test", "lmtp:x"}});
    }
    ::close(ours);
    CHECK(soon([&] { return read(file).contains("c.test"); }));
    table.stop();
    CHECK(read(file) == Rows{{"b.test", "lmtp:x"}, {"c.test", "lmtp:x"}});
}
