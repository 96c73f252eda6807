#include "app/daemon/promises.hpp"

#include "app/log.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace app {
namespace {

// How long a class that has changed, by hand or by the figures, may be another one for mail that
// comes by SMTP.
constexpr auto kClassesHold = std::chrono::minutes(5);
constexpr mode_t kListMode = 0644;  // filters read it, and there is nothing secret in it

/// Each domain, and the component that serves it. They change by a restart only.
std::map<mail::Domain, std::string> domains_of_ours(const Config& config) {
    std::map<mail::Domain, std::string> ours;
    for (const auto& component : config.components) {
        for (const mail::Domain& domain : component.domains)
            ours.emplace(domain, component.jid);
    }
    return ours;
}

/// In place of `file`, as a whole or not at all.
base::Result<void> replace_file(const std::filesystem::path& file, const std::string& text) {
    const std::string part = file.string() + ".new";
    const auto failed = [&](const std::string& what) {
        return base::fail(base::Errc::io, what + ": " + std::strerror(errno));
    };
    const int fd =
        ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, kListMode);
    if (fd < 0) return failed(part);
    const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const bool readable = ::fchmod(fd, kListMode) == 0;
    if (::close(fd) != 0 || !written || !readable) return failed(part);
    if (::rename(part.c_str(), file.c_str()) != 0) return failed(file.string());
    return {};
}

}  // namespace

Promises::Promises(base::asio::any_io_executor executor, const Config& config,
                   queue::StorageThread& storage, queue::Reader& reader, const base::Clock& clock,
                   base::ClockTrust& trust, const queue::PeerLists& lists,
                   component::Discovery& discovery, VerifiedLink link)
    : config_(config),
      clock_(clock),
      trust_(trust),
      discovery_(discovery),
      link_(std::move(link)),
      limiter_(clock),
      book_(storage, clock, trust, domains_of_ours(config),
            [this](queue::PromiseNews what, const queue::PeerPromise& promise) {
                news(what, promise);
            }),
      peers_(lists,
             [&reader](queue::ListStandings question) { return reader.ask(std::move(question)); }),
      looks_(
          executor, book_, peers_, clock,
          [this](mail::Domain domain) { return reread(std::move(domain)); },
          [this](const queue::LaneQuestion& question, queue::PromiseFinding finding) {
              broken(question, finding);
          }) {
    discovery_.tell_of_promises(book_);
}

base::Task<base::Result<void>> Promises::load() {
    auto loaded = co_await book_.load();
    if (!loaded) co_return loaded;
    write_list();
    co_await read_classes();
    co_return loaded;
}

base::Task<void> Promises::once() {
    book_.sweep();
    looks_.renew();
    write_list();
    for (const auto& lines : limiter_.take_left_out())
        log::promises_left_out(lines.peer, lines.kind, lines.count);
    co_await read_classes();
}

base::Task<void> Promises::stop() {
    co_await looks_.stop();
}

void Promises::set_retired(const std::string& component, bool retired) {
    book_.set_retired(component, retired);
    write_list();
}

bool Promises::forget(const mail::Domain& domain) {
    const bool was_known = book_.forget(domain);
    write_list();
    return was_known;
}

void Promises::news(queue::PromiseNews what, const queue::PeerPromise& promise) {
    using queue::PromiseNews;
    write_list();
    const char* const event = what == PromiseNews::first       ? "promise-read"
                              : what == PromiseNews::counts    ? "promise-counts"
                              : what == PromiseNews::withdrawn ? "promise-withdrawn"
                                                               : nullptr;
    if (event == nullptr) return;
    const auto left_out = limiter_.admit(promise.domain.ascii(), event);
    if (left_out)
        log::promise(event, promise.domain.ascii(), promise.component,
                     base::to_datetime(promise.until), *left_out);
}

void Promises::broken(const queue::LaneQuestion& question, queue::PromiseFinding finding) {
    const auto left_out = limiter_.admit(question.sender.ascii(), "promise-broken");
    if (left_out)
        log::promise_broken(question.sender.ascii(), question.client, to_text(finding),
                            to_text(config_.closed_lane.mode), *left_out);
}

/// What is found, the book hears from Discovery.
base::Task<void> Promises::reread(mail::Domain domain) {
    component::Link* const link = link_();
    if (link == nullptr) co_return;
    const component::Report report = co_await discovery_.look_up(*link, std::move(domain));
    static_cast<void>(report);
}

base::Task<void> Promises::read_classes() {
    if (!config_.policy_service || !config_.closed_lane.marks()) co_return;
    const auto steady = clock_.steady();
    if (classes_read_ && steady - *classes_read_ < kClassesHold) co_return;
    classes_read_ = steady;
    co_await peers_.read(queue::day_of(trust_.look().corrected(clock_.now())));
}

void Promises::write_list() {
    if (!config_.promised_domains) return;
    std::set<mail::Domain> domains = book_.standing();
    if (written_ == domains) return;
    std::string text;
    for (const mail::Domain& domain : domains)
        text += domain.ascii() + "\n";
    const auto done = replace_file(*config_.promised_domains, text);
    if (!done && !list_has_failed_) log::promised_domains_failed(done.error().text);
    list_has_failed_ = !done;
    if (done) written_ = std::move(domains);
}

}  // namespace app
