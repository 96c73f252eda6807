// A good, short configuration, with what a test adds to it.
#pragma once

#include "app/config/config.hpp"
#include "support/catch_result.hpp"
#include "support/folder.hpp"

#include <fstream>
#include <string>

namespace support {

/// Of the file's name, an error has what comes after it.
inline base::Result<app::Config> load_with(const std::string& text) {
    const Folder folder;
    const auto file = folder.path() / "packetboat.conf";
    std::ofstream(file) << "[daemon]\nhostname = mx.a.test\n"
                           "[component mail.a.test]\nsecret = x\ndomains = a.test\n"
                           "[intake x]\nlisten = unix:/run/x\n"
                           "[hand-over]\ndeliver-to = smtp:127.0.0.1:25\n"
                        << text;
    auto config = app::load_config(file, {});
    if (config) return config;
    return base::fail(config.error().code, config.error().text.substr(file.string().size()));
}

inline std::string fault_of(const std::string& text) {
    const auto config = load_with(text);
    return config ? "none" : config.error().text;
}

}  // namespace support
