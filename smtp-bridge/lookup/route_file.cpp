#include "smtp-bridge/lookup/route_file.hpp"

#include "base/thread_name.hpp"
#include "smtp-bridge/log.hpp"
#include "smtp-bridge/lookup/lookup_keys.hpp"

#include <csignal>
#include <cstdio>

#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>

namespace smtp_bridge {
namespace {

/// Bytes of the table's map: all that can be known, of which a domain takes about a hundred, and
/// one with several keys a few hundred.
constexpr std::size_t kMapSize = 256u << 20;
constexpr mode_t kMode = 0644;  // Postfix reads it, and what is in it is no secret

MDB_val value_of(const std::string& text) {
    return {text.size(), const_cast<char*>(text.data())};
}

/// A disk that is full or faulty, and not a path that is wrong.
bool may_pass(int status) {
    return status == ENOSPC || status == EDQUOT || status == EFBIG || status == EIO;
}

/// Postfix reads under a shared lock of this kind, as it uses LMDB without LMDB's own.
class ExclusiveLock {
  public:
    explicit ExclusiveLock(int descriptor) : descriptor_(descriptor), status_(set(F_WRLCK)) {}
    ~ExclusiveLock() {
        if (status_ == 0) set(F_UNLCK);
    }
    ExclusiveLock(const ExclusiveLock&) = delete;
    ExclusiveLock& operator=(const ExclusiveLock&) = delete;

    /// 0, or why it is not held, as errno.
    int status() const { return status_; }

  private:
    int set(short type) const {
        struct flock lock {};
        lock.l_type = type;
        lock.l_whence = SEEK_SET;
        while (::fcntl(descriptor_, F_SETLKW, &lock) != 0) {
            if (errno != EINTR) return errno;
        }
        return 0;
    }
    int descriptor_;
    int status_;
};

}  // namespace

struct RouteFile::Environment {
    MDB_env* env = nullptr;

    Environment() = default;
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    ~Environment() { mdb_env_close(env); }

    int open(const std::filesystem::path& file) {
        int status = mdb_env_create(&env);
        if (status == 0) status = mdb_env_set_mapsize(env, kMapSize);
        if (status == 0) status = mdb_env_open(env, file.c_str(), MDB_NOSUBDIR | MDB_NOLOCK, kMode);
        // Whatever the umask is.
        if (status == 0 && ::fchmod(descriptor(), kMode) != 0) status = errno;
        return status;
    }
    int descriptor() const {
        int descriptor = -1;
        mdb_env_get_fd(env, &descriptor);
        return descriptor;
    }
    /// Nothing if a table could be read from there; else what it has in its place.
    static const char* fault_of(const std::filesystem::path& file) {
        Environment old;
        int status = mdb_env_create(&old.env);
        const unsigned flags = MDB_NOSUBDIR | MDB_NOLOCK | MDB_RDONLY;
        if (status == 0) status = mdb_env_open(old.env, file.c_str(), flags, 0);
        return status == 0 || status == ENOENT ? nullptr : mdb_strerror(status);
    }
    /// `answer`: null takes the key out.
    int write(MDB_txn* transaction, MDB_dbi table, const std::string& text,
              const std::string* answer) const {
        // Longer ones are U-labels that no table can have.
        if (text.size() > static_cast<std::size_t>(mdb_env_get_maxkeysize(env))) return 0;
        MDB_val key = value_of(text);
        if (answer == nullptr) {
            const int status = mdb_del(transaction, table, &key, nullptr);
            return status == MDB_NOTFOUND ? 0 : status;
        }
        MDB_val value = value_of(*answer);
        return mdb_put(transaction, table, &key, &value, 0);
    }
    /// One transaction. 0, or what mdb_strerror knows.
    int write(const std::map<std::string, bool>& changes, const std::string& answer) {
        const ExclusiveLock lock(descriptor());
        if (lock.status() != 0) return lock.status();
        MDB_txn* transaction = nullptr;
        int status = mdb_txn_begin(env, nullptr, 0, &transaction);
        if (status != 0) return status;
        MDB_dbi table = 0;
        status = mdb_dbi_open(transaction, nullptr, MDB_CREATE, &table);
        for (const auto& [domain, listed] : changes) {
            for (const auto& text : lookup_keys(domain)) {
                if (status == 0)
                    status = write(transaction, table, text, listed ? &answer : nullptr);
            }
        }
        if (status == 0) return mdb_txn_commit(transaction);
        mdb_txn_abort(transaction);
        return status;
    }
};

RouteFile::RouteFile(std::filesystem::path file, std::string answer,
                     std::chrono::milliseconds retry_after)
    : file_(std::move(file)), answer_(std::move(answer)), retry_after_(retry_after) {}

RouteFile::~RouteFile() {
    stop();
}

base::Result<void> RouteFile::start(const std::set<std::string>& domains) {
    for (const auto& domain : domains)
        pending_.emplace(domain, true);
    // What is there may be damaged in ways that LMDB ends the process for: nothing of it is used.
    // Postfix goes on reading the old one until it looks whether there is a new one, every 10 s.
    if (const char* const fault = Environment::fault_of(file_))
        log::route_table_made_again(file_.string(), fault);
    const int status = write(pending_);
    if (status != 0 && !may_pass(status))
        return base::fail(base::Errc::io, file_.string() + ": " + mdb_strerror(status));
    if (status == 0)
        pending_.clear();
    else
        note_failure(status);
    // Signals are the main thread's.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] {
        base::name_thread("route-table");
        work();
    });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return {};
}

int RouteFile::write(const std::map<std::string, bool>& changes) {
    if (environment_) return environment_->write(changes, answer_);
    return replace(changes);
}

int RouteFile::replace(const std::map<std::string, bool>& listed) {
    std::error_code error;
    // What a link points to is the file.
    const auto target = std::filesystem::weakly_canonical(file_, error);
    if (error) return error.value();
    const auto fresh = std::filesystem::path(target).concat(".new");
    std::filesystem::remove(fresh, error);  // of a start that was cut off
    if (error) return error.value();
    auto environment = std::make_unique<Environment>();
    int status = environment->open(fresh);
    if (status == 0) status = environment->write(listed, answer_);
    if (status == 0 && ::rename(fresh.c_str(), target.c_str()) != 0) status = errno;
    if (status == 0)
        environment_ = std::move(environment);
    else
        ::unlink(fresh.c_str());
    return status;
}

void RouteFile::note_failure(int status) {
    ++failures_;
    log::route_table_failed(file_.string(), mdb_strerror(status));
}

void RouteFile::set(const std::string& domain, bool listed) {
    const std::lock_guard lock(mutex_);
    pending_[domain] = listed;
    changed_.notify_one();
}

void RouteFile::work() {
    std::map<std::string, bool> unwritten;
    std::unique_lock lock(mutex_);
    for (;;) {
        const auto is_due = [this] { return stopping_ || !pending_.empty(); };
        if (!environment_)  // all of it is written, which is not for each change
            changed_.wait_for(lock, retry_after_, [this] { return stopping_; });
        else if (unwritten.empty())
            changed_.wait(lock, is_due);
        else
            changed_.wait_for(lock, retry_after_, is_due);
        std::map<std::string, bool> changes = std::exchange(pending_, {});
        const bool last = stopping_;
        lock.unlock();
        changes.merge(unwritten);  // what is newer stays
        unwritten.clear();
        const int status = changes.empty() && environment_ ? 0 : write(changes);
        if (status != 0) {
            note_failure(status);
            unwritten = std::move(changes);
        }
        lock.lock();
        if (last) return;
    }
}

void RouteFile::stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_one();
    }
    thread_.join();
}

}  // namespace smtp_bridge
