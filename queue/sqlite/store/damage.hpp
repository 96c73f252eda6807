// Damage: what a queue's database meets of it, and the note of it that the next start finds.
//
// The note is an empty file in the state directory. Functions without state, on any thread.
//
// Tested by tests/unit/queue/sqlite/sqlite_ledger_test.cpp and
// tests/unit/queue/sqlite/recovery/repair_test.cpp.
#pragma once

#include "base/result.hpp"

#include <filesystem>

#include <SQLiteCpp/SQLiteCpp.h>

namespace queue {

/// Some messages are on damaged pages: the store knows them now, and the next attempt does without
/// them. SQLite lets nothing be written until the transaction is undone as a whole.
class UnreadableMessage : public SQLite::Exception {
  public:
    using SQLite::Exception::Exception;
};

/// A page does not make sense, or the disk does not give it out.
bool is_damage(const SQLite::Exception& error);
/// The same, or what a damaged schema may have become. Only at the start, where there is no other
/// reason for it.
bool may_be_damage(const SQLite::Exception& error);

/// Says so to the next start, which then looks, and repairs. Errc::storage.
base::Result<void> note_damage(const std::filesystem::path& directory);
bool is_damage_noted(const std::filesystem::path& directory);
void forget_damage(const std::filesystem::path& directory);

}  // namespace queue
