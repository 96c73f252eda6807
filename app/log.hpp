// The log events of the program as a whole.
//
// Tested by tests/e2e/test_reload.py.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace queue {
struct SenderAlarm;
}

namespace app::log {

void started(std::string_view version, std::string_view config_file);
void stopping(std::string_view why);
void stopped();
/// The process ends with this exit status, and not because somebody wanted it to.
void gave_up(const base::Error& error, int exit_status);
/// The configuration was read again: `changed` is in force, `unchanged` needs a restart; both are
/// keys, with commas between them.
void reloaded(std::string_view config_file, std::string_view changed, std::string_view unchanged);
/// It could not be, and what was in force still is.
void reload_failed(const base::Error& error);
/// Every account of this machine can read the secret in `file`.
void secret_is_exposed(std::string_view file);
/// Peers refuse the certificate that a component's server shows, or will soon.
void certificate_is_minded(std::string_view component, std::string_view server,
                           std::string_view why);
/// Taken out of service, or back into it.
void retired(std::string_view component, bool retired);
/// All our mail goes by SMTP, until then or an administrator's word.
void turned_off(std::optional<base::TimePoint> until);
/// Over XMPP again; `why`: who or what has ended it.
void turned_on(std::string_view why);
/// Still; now and then.
void is_off(base::TimePoint since, std::optional<base::TimePoint> until);
/// An administrator has said so; an empty class: has taken back what was said.
void peer_class_set(std::string_view domain, std::string_view peer_class);
void peer_forgotten(std::string_view domain);
/// A file of domains; each time that it is read.
void list_in_force(std::string_view file, std::string_view peer_class, std::size_t domains);
/// One is broken, and what was in force still is.
void list_refused(const base::Error& error);
void link_is_down(std::string_view component, std::chrono::milliseconds since,
                  std::string_view why);
/// Mail that has to go by SMTP after all will fail.
void return_refused(std::string_view why);
/// A sender of ours has sent more than it may; once an hour for each.
void sender_beyond(const queue::SenderAlarm& alarm);
/// `recipient` has said so of the mail that `transfer` brought from `domain`; `uid` has asked us.
void complaint(std::string_view transfer, std::string_view domain, std::string_view recipient,
               bool is_spam, std::int64_t uid);
/// Its trace field is forged, perhaps.
void complaint_refused(std::string_view transfer, std::int64_t uid, const base::Error& error);
void control_failed(std::string_view what, const base::Error& error);

/// `event`: promise-read, promise-counts, promise-withdrawn.
void promise(const char* event, std::string_view domain, std::string_view component,
             std::string_view until, std::uint64_t left_out);
/// Mail that says it is of `domain` has come by SMTP.
void promise_broken(std::string_view domain, std::string_view client, std::string_view finding,
                    std::string_view mode, std::uint64_t left_out);
void promises_left_out(std::string_view domain, std::string_view kind, std::uint64_t count);
void promise_forgotten(std::string_view domain);
void promised_domains_failed(std::string_view why);

}  // namespace app::log
