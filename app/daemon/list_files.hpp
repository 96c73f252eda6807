// ListFiles: the files of domains that the configuration names, as they were when they were last
// read and good.
//
// Reading is bounded by DomainList's bounds, and never waits for a pipe. Event loop.
//
// Tested by tests/unit/app/daemon/list_files_test.cpp.
#pragma once

#include "app/config/list_sections.hpp"
#include "base/result.hpp"
#include "queue/peer_lists.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <vector>

namespace app {

/// One file. The error's text begins with `FILE:LINE: `, or `FILE: ` if it can't be read.
/// Errc::io, Errc::limit, Errc::syntax.
base::Result<queue::DomainList> read_list(const std::filesystem::path& file);

class ListFiles {
  public:
    /// Reads all of `files`, in place of those before. Of one that can't be read what was good
    /// before stays, if there was any, and it was to make the same class; why, for each of these.
    std::vector<base::Error> read(const std::vector<ListFile>& files);
    /// For queue::PeerLists.
    std::vector<queue::PeerLists::File> lists() const { return lists_; }

  private:
    std::vector<queue::PeerLists::File> lists_;
};

}  // namespace app
