// ProsodyConfig: what Prosody's configuration comes to, as Prosody's own reader has it.
//
// The file is a program in Lua, so nothing else can tell. It is run as by prosodyctl(1), and
// changes nothing.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
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

  private:
    const boost::json::object* own_options(const std::string& host) const;

    boost::json::object hosts_;
    std::vector<std::string> files_;
};

inline constexpr const char* kProsodyFile = "/etc/prosody/prosody.cfg.lua";

/// Errc::io (Prosody's reader, or the Lua that it needs, is not there), Errc::syntax (the file, or
/// one that it includes, can't be understood; with Prosody's words).
base::Result<ProsodyConfig> read_prosody(const std::filesystem::path& file = kProsodyFile);

}  // namespace app
