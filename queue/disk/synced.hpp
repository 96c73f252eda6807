// Folders and files whose entries in their own folder are on the disk, too: a file that was synced
// is found after a power cut only if its name was.
//
// Functions without state, on any thread.
//
// Tested by tests/faults/faults.py.
#pragma once

#include "base/result.hpp"

#include <filesystem>

namespace queue {

/// fsync(2) of a folder. Errc::storage.
base::Result<void> sync_folder(const std::filesystem::path& folder);
/// `folder` with all above it that are missing: synced into those that they are in when it
/// returns. One that is there is left as it is. Errc::storage.
base::Result<void> make_folder(const std::filesystem::path& folder);
/// `part` is synced, and becomes `to`, which it replaces; so is the folder. Errc::storage.
base::Result<void> put_into_place(const std::filesystem::path& part,
                                  const std::filesystem::path& to);

}  // namespace queue
