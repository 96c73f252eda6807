// DnsChannel: questions to the DNS, and their answers, by c-ares on the event loop.
//
// c-ares has no thread here: its sockets are watched by the loop. A channel is for a few questions
// that belong together, so that nothing is shared and a changed resolv.conf counts at once.
//
// Tested by tests/unit/component/discovery/resolver_test.cpp.
#pragma once

#include "base/async.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>

struct ares_channeldata;

namespace component {

class DnsChannel {
  public:
    /// A status of c-ares, and the message that it has come from: nullptr and 0 if there is none.
    using OnAnswer = std::function<void(int status, const unsigned char* bytes, int size)>;

    /// What SERVFAIL and REFUSED are: a reason to ask another server, at last ARES_ECONNREFUSED; or
    /// answers, ARES_ESERVFAIL and ARES_EREFUSED.
    enum class Refusals : std::uint8_t { another_server, answers };

    /// `server`: `IP` or `IP:port`, `[IPv6]:port`; empty: as the system's resolv.conf says. Each
    /// server is tried twice, first for `try_time`.
    explicit DnsChannel(const std::string& server, std::chrono::milliseconds try_time,
                        Refusals refusals = Refusals::another_server);
    /// Answers what is still open.
    ~DnsChannel();
    DnsChannel(const DnsChannel&) = delete;
    DnsChannel& operator=(const DnsChannel&) = delete;

    bool is_open() const { return channel_ != nullptr; }
    /// Asks for the records of `type` at `name`. What `on_answer` uses has to
    /// outlive this object.
    void ask(const std::string& name, int type, OnAnswer on_answer);
    /// Until `is_done`, which is asked after each answer, or `limit` has passed.
    base::Task<void> run(std::function<bool()> is_done, std::chrono::milliseconds limit);

  private:
    std::list<OnAnswer> questions_;
    ares_channeldata* channel_ = nullptr;
};

}  // namespace component
