#include "app/daemon/serve.hpp"

#include "app/config/exposed_secrets.hpp"
#include "app/daemon/activation.hpp"
#include "app/daemon/control_server.hpp"
#include "app/daemon/daemon.hpp"
#include "app/daemon/reload.hpp"
#include "app/daemon/watchdog.hpp"
#include "app/log.hpp"
#include "app/version.hpp"
#include "base/task_group.hpp"
#include "queue/sqlite/recovery/opening.hpp"

#include <csignal>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

namespace app {
namespace {

int give_up(const base::Error& error, int exit_status) {
    log::gave_up(error, exit_status);
    return exit_status;
}

int give_up(const base::Error& error) {
    // What the next start repairs is a failure for now (sysexits.h).
    return give_up(error, error.code == base::Errc::damaged ? EX_TEMPFAIL : 1);
}

constexpr const char* name_of(int signal) {
    return signal == SIGTERM ? "SIGTERM" : "SIGINT";
}

/// Until a signal says that it is enough; SIGHUP has the configuration read again. Why it ends.
base::Task<const char*> wait_for_the_end(base::asio::signal_set& signals, Daemon& daemon,
                                         Config& in_force) {
    for (;;) {
        const auto [error, number] = co_await signals.async_wait(base::use_result);
        if (error) co_return "the wait for signals failed";
        if (number != SIGHUP) co_return name_of(number);
        sd_notify(0, "RELOADING=1");
        reload(daemon, in_force);
        sd_notify(0, "READY=1");
    }
}

/// How long systemd waits for a sign of life; nothing: it does not watch.
std::optional<std::chrono::microseconds> watched_for() {
    std::uint64_t limit = 0;
    if (sd_watchdog_enabled(0, &limit) <= 0) return std::nullopt;
    return std::chrono::microseconds(limit);
}

using Controls = std::vector<std::unique_ptr<ControlServer>>;

/// The administrator's, and one to complain on if there is to be one.
Controls make_controls(base::asio::io_context& io, const Config& config, Daemon& daemon) {
    Controls controls;
    controls.push_back(std::make_unique<ControlServer>(
        io.get_executor(), ControlSocket{config.control_socket}, daemon));
    const ComplaintConfig& complaints = config.complaints;
    if (!complaints.socket.empty())
        controls.push_back(std::make_unique<ControlServer>(
            io.get_executor(),
            ControlSocket{complaints.socket, complaints.socket_mode, Access::complaints}, daemon));
    return controls;
}

/// Starts, waits for the signal, and stops. The result is the error of the start, if it failed, or
/// why the daemon gave up.
base::Task<void> run(base::asio::io_context& io, Daemon& daemon, Controls& controls,
                     std::optional<base::Error>& failure) {
    base::asio::signal_set signals(io, SIGTERM, SIGINT, SIGHUP);
    const std::function<void(base::Error)> give_up = [&](base::Error error) {
        failure = std::move(error);
        signals.cancel();
    };
    base::Result<void> started = co_await daemon.start(give_up);
    for (const auto& control : controls) {
        if (started) started = control->start();
    }
    if (started) {
        log::started(kVersion, daemon.config().file.string());
        sd_notify(0, "READY=1");
        base::TaskGroup tasks(io.get_executor());
        std::optional<Watchdog> watchdog;
        if (const auto limit = watched_for()) {
            watchdog.emplace(io.get_executor(), daemon.storage(), *limit,
                             [] { sd_notify(0, "WATCHDOG=1"); });
            tasks.spawn("watchdog", [&watchdog] { return watchdog->go_on(); });
        }
        Config in_force = daemon.config();
        const char* why = "";
        // What the first steps have met ends it, too.
        if (!failure) why = co_await wait_for_the_end(signals, daemon, in_force);
        log::stopping(failure ? failure->text : why);
        sd_notify(0, "STOPPING=1");
        if (watchdog) watchdog->stop();
        co_await tasks.join();
    } else {
        failure = started.error();
    }
    for (const auto& control : controls)
        co_await control->stop();
    co_await daemon.stop();
    io.stop();
}

/// Those that systemd listens on for us.
void adopt_sockets(Config& config) {
    const Activation given;
    for (auto& intake : config.intakes)
        intake.inherited = given.socket_of(intake.endpoint);
    if (config.route_lookup)
        config.route_lookup->server.inherited =
            given.socket_of(config.route_lookup->server.endpoint);
    if (config.policy_service)
        config.policy_service->inherited = given.socket_of(config.policy_service->endpoint);
}

}  // namespace

int refuse_to_serve(const base::Error& error) {
    // What it says of the log is not known.
    base::log::configure(base::log::Level::info, base::log::Format::text);
    return give_up(error, EX_CONFIG);
}

int serve(Config config) {
    base::log::configure(config.log_level, config.log_format);
    // None of these ends it. SIGHUP is listened to as soon as there is somebody to do so.
    for (const int signal : {SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2})
        std::signal(signal, SIG_IGN);
    adopt_sockets(config);
    for (const auto& file : exposed_secrets(config))
        log::secret_is_exposed(file.string());
    ::umask(077);  // the queue holds other people's mail
    base::SystemClock clock;
    base::SystemRandom random;
    auto store = queue::open_queue(config.store, make_router(config), clock, random);
    if (!store) return give_up(store.error());

    base::asio::io_context io(1);
    std::optional<base::Error> failure;
    {
        Daemon daemon(io.get_executor(), config, std::move(*store));
        Controls controls = make_controls(io, config, daemon);
        base::spawn(io.get_executor(), "main", [&] { return run(io, daemon, controls, failure); });
        io.run();
    }
    if (failure) return give_up(*failure);
    log::stopped();
    return 0;
}

}  // namespace app
