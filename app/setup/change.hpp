// Change: what one file is to become, and what it was before.
//
// A value; reading, comparing and writing are functions on it. Blocks its thread.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

namespace app {

/// What is changed together, in this order, and has to be taken notice of by somebody: ours, the
/// XMPP server's, Postfix's for mail that comes in, and, once ours runs, for mail that goes out.
enum class Part { packetboat, xmpp, way_in, way_out };

/// Of a file that is made. One that is there keeps its own.
struct FileOwner {
    mode_t mode = 0644;
    uid_t user = 0;
    gid_t group = 0;
};

struct Change {
    std::filesystem::path file;  ///< no link
    Part part = Part::packetboat;
    std::string reason;  ///< a line or two for the administrator
    FileOwner owner;
    std::optional<std::string> before;  ///< none: there is no such file
    std::string after;
};

/// The whole of a configuration file. Errc::not_found, Errc::limit (over 4 MiB), Errc::io.
base::Result<std::string> read_file(const std::filesystem::path& file);

/// The group's number; that of root if there is none of this name.
gid_t group_of(const char* name);

/// Both texts, line by line, as diff(1) -u has it; empty if they are alike.
base::Result<std::string> diff_of(const Change& change);

/// Writes the whole of a file, on the disk when it returns: all of it or, after a crash, none.
/// Without `owner` the file is there, and keeps mode, user and group.
base::Result<void> write_file(const std::filesystem::path& file, const std::string& text,
                              const std::optional<FileOwner>& owner);

}  // namespace app
