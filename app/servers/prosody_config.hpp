// ProsodyConfig: what Prosody's configuration comes to, as Prosody's own reader has it.
//
// The file is a program in Lua, so nothing else can tell. It is run as by prosodyctl(1), and
// changes nothing.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

namespace app {

class ProsodyConfig {
  public:
    /// `hosts`: their options by name, those of all under `*`. `files`: all that were read.
    ProsodyConfig(boost::json::object hosts, std::vector<std::string> files)
        : hosts_(std::move(hosts)), files_(std::move(files)) {}

    /// The option as `host` has it: its own, else that of all hosts; nullptr if neither is set.
    const boost::json::value* find(const std::string& host, const std::string& option) const;
    /// The option that is for all hosts.
    const boost::json::value* find(const std::string& option) const { return find("*", option); }
    /// The names of all `VirtualHost`s, in no order.
    std::vector<std::string> virtual_hosts() const;
    bool has_virtual_host(const std::string& name) const;
    /// A `Component` of whatever kind.
    bool has_component(const std::string& name) const;
    /// One without a module of Prosody's, which connects from outside (XEP-0114).
    bool has_external_component(const std::string& name) const;
    /// Whether `file` is one of those that it was read from.
    bool has_read(const std::filesystem::path& file) const;

    /// Whether it demands encryption and a certificate of whoever links to it.
    bool requires_certificates() const;
    /// Other servers of which it demands none all the same.
    std::vector<std::string> insecure_domains() const;
    /// The port for components; 5347 unless it says otherwise.
    std::uint16_t component_port() const;
    /// The smaller of its limits for a stanza from a component and from another server, in bytes.
    std::uint64_t max_stanza() const;
    /// The folder for modules that are not Prosody's own; empty: there is none.
    std::string plugin_folder() const;
    /// Whether a link from another server is held to less than kQuickLink.
    bool is_slow() const;
    /// Whether it waits before it writes, which stalls what comes in bulk (`network_settings`).
    bool is_paced() const;

  private:
    const boost::json::object* own_options(const std::string& host) const;

    boost::json::object hosts_;
    std::vector<std::string> files_;
};

/// Bytes a second of a link, and as `limits` has it. Debian ships 30kb/s, two mails with an
/// attachment a minute.
inline constexpr double kQuickLink = 10e6;
inline constexpr const char* kQuickLinkText = "10mb/s";

/// The number of bytes a second in `30kb/s` (mod_limits); 0: none.
double rate_of(std::string_view text);

/// The object that `value` is; else an empty one.
boost::json::object object_in(const boost::json::value* value);

inline constexpr const char* kProsodyFile = "/etc/prosody/prosody.cfg.lua";

/// Errc::io (Prosody's reader, or the Lua that it needs, is not there), Errc::syntax (the file, or
/// one that it includes, can't be understood; with Prosody's words).
base::Result<ProsodyConfig> read_prosody(const std::filesystem::path& file = kProsodyFile);

}  // namespace app
