// LittleServer: a server for clients that come several at a time, with the bounds that servers
// have.
#pragma once

#include "support/smtp-bridge/dialogue.hpp"

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <utility>

namespace dialogue {

/// What a LittleServer bears.
struct Manners {
    std::size_t links = 1000;       ///< open at once; with one more it says 421
    std::size_t recipients = 1000;  ///< of a transaction; then it says `too_many`
    std::string too_many = "452 4.5.3 Too many recipients";
    std::size_t errors = 1000;  ///< on a link; then it says 421
    std::string limits{};       ///< of EHLO: `LIMITS RCPTMAX=2`
    /// Where it falls silent: `greeting`, a command, or nowhere ...
    std::string silent_at{};
    /// ... until this says true.
    std::function<bool()> wakes = [] { return false; };
    bool lmtp = false;
};

/// Speaks SMTP or LMTP on a Unix socket, each connection on a thread of its own. Recipients whose
/// name begins with `dead` are unknown.
class LittleServer {
  public:
    LittleServer(const std::string& path, Manners manners)
        : manners_(std::move(manners)), listener_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
        const auto address = address_of(path);
        if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(listener_, 100) != 0)
            throw std::runtime_error("can't listen");
        acceptor_ = std::thread([this] { accept(); });
    }
    ~LittleServer() {
        stopping_ = true;
        ::shutdown(listener_, SHUT_RDWR);
        acceptor_.join();
        for (auto& link : links_) {
            ::shutdown(link.fd, SHUT_RDWR);
            link.thread.join();
            ::close(link.fd);
        }
        ::close(listener_);
    }
    LittleServer(const LittleServer&) = delete;
    LittleServer& operator=(const LittleServer&) = delete;

    /// From now on; for links that are open, too.
    void falls_silent_at(const std::string& where) {
        const std::lock_guard lock(mutex_);
        manners_.silent_at = where;
    }
    int greeted() const { return greeted_; }  ///< links that it took
    int refused() const { return refused_; }  ///< links that were too many
    /// The recipients of each message that was taken.
    std::vector<std::vector<std::string>> taken() {
        const std::lock_guard lock(mutex_);
        return taken_;
    }
    /// All of these.
    std::size_t recipients() {
        std::size_t sum = 0;
        for (const auto& each : taken())
            sum += each.size();
        return sum;
    }
    /// How often it fell silent.
    int silences() const { return silences_; }
    /// On one link, of those that have had the most.
    std::size_t most_refusals() const { return most_refusals_; }
    /// MAIL commands.
    int mails() const { return mails_; }

  private:
    struct Link {
        int fd = -1;
        std::thread thread;
    };

    void accept() {
        while (!stopping_) {
            const int fd = ::accept(listener_, nullptr, nullptr);
            if (fd < 0) continue;
            auto& link = links_.emplace_back();
            link.fd = ::dup(fd);
            link.thread = std::thread([this, fd] { serve(fd); });
        }
    }
    /// True if it had nothing to say until the end of the connection.
    bool is_silent(int fd, std::string_view at) {
        {
            const std::lock_guard lock(mutex_);
            if (manners_.silent_at != at) return false;
        }
        ++silences_;
        char byte = 0;
        while (!stopping_ && ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0) {
            if (manners_.wakes()) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        return true;
    }
    void serve(int fd) {
        Line line(fd);
        if (!is_silent(fd, "greeting")) greet(line, fd);
        // Somebody else has a copy of the descriptor.
        ::shutdown(fd, SHUT_RDWR);
    }
    void greet(Line& line, int fd) {
        if (!has_room()) {
            ++refused_;
            return line.send("421 4.7.0 too many connections\r\n");
        }
        ++greeted_;
        line.send("220 mx.b.test\r\n");
        talk(line, fd);
        // Before the socket is closed: who sees the end may come again.
        const std::lock_guard lock(mutex_);
        --open_;
    }
    bool has_room() {
        const std::lock_guard lock(mutex_);
        if (open_ == manners_.links) return false;
        ++open_;
        return true;
    }
    void talk(Line& line, int fd) {
        std::size_t errors = 0;
        std::vector<std::string> to;
        const auto refuse = [&](std::string_view reply) {
            most_refusals_ = std::max(most_refusals_.load(), ++errors);
            line.send(std::string(reply) + "\r\n");
        };
        while (const auto command = line.read()) {
            const auto verb = base::split(*command).front();
            if (is_silent(fd, verb)) return;
            if (errors >= manners_.errors) return line.send("421 4.7.0 too many errors\r\n");
            if (verb == "EHLO" || verb == "LHLO") {
                line.send("250-mx.b.test\r\n");
                if (!manners_.limits.empty()) line.send("250-" + manners_.limits + "\r\n");
                line.send("250 PIPELINING\r\n");
            } else if (verb == "MAIL") {
                ++mails_;
                to.clear();
                line.send("250 2.1.0 ok\r\n");
            } else if (verb == "RCPT") {
                if (command->starts_with("RCPT TO:<dead"))
                    refuse("550 5.1.1 unknown");
                else if (to.size() == manners_.recipients)
                    refuse(manners_.too_many);
                else {
                    to.push_back(command->substr(9, command->find('>') - 9));
                    line.send("250 2.1.5 ok\r\n");
                }
            } else if (verb == "DATA" && to.empty()) {
                refuse("503 5.5.1 no recipients");
            } else if (verb == "DATA") {
                line.send("354 go\r\n");
                for (auto text = line.read(); text && *text != "."; text = line.read()) {
                }
                const std::size_t verdicts = manners_.lmtp ? to.size() : 1;
                {
                    const std::lock_guard lock(mutex_);
                    taken_.push_back(std::exchange(to, {}));
                }
                for (std::size_t i = 0; i < verdicts; ++i)
                    line.send("250 2.0.0 taken\r\n");
            } else if (verb == "QUIT") {
                return line.send("221 bye\r\n");
            } else {
                line.send("250 ok\r\n");
            }
        }
    }

    Manners manners_;
    int listener_;
    std::atomic<bool> stopping_ = false;
    std::atomic<int> greeted_ = 0;
    std::atomic<int> refused_ = 0;
    std::atomic<int> mails_ = 0;
    std::atomic<int> silences_ = 0;
    std::atomic<std::size_t> most_refusals_ = 0;
    std::mutex mutex_;
    std::size_t open_ = 0;
    std::vector<std::vector<std::string>> taken_;
    std::list<Link> links_;  // the acceptor's, until it has ended
    std::thread acceptor_;
};

}  // namespace dialogue
