// Record: what `packetboat setup` has written, and what was there before, so that it can be undone.
//
// A folder that only root may read, as secrets are in it, with a folder for each change in the
// order of the changes. A change is in the record before it is in its file, so that a setup that
// was cut off can be undone, too. Blocks its thread.
#pragma once

#include "app/setup/change.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace app {

class Record {
  public:
    explicit Record(std::filesystem::path folder) : folder_(std::move(folder)) {}

    bool is_empty() const { return numbers().empty() && marks().empty(); }

    /// Whether a change of this part is in it.
    bool has(Part part) const;

    /// Writes the change down, and then the file, with the folders that it needs. Errc::conflict if
    /// the file is not as `before` any more.
    base::Result<void> apply(const Change& change);

    /// Remembers something that is no file: `enabled`. Letters only.
    base::Result<void> mark(const std::string& what);
    bool has_mark(const std::string& what) const;
    base::Result<void> remove_mark(const std::string& what);

    /// What became of one file.
    struct Undone {
        std::filesystem::path file;
        std::string left;       ///< why something of it stays; empty: it is as it was
        bool is_stuck = false;  ///< it has not been changed
    };
    /// Where lines of a change have been changed by somebody: the file's text as it is now, without
    /// what the change has put in, by its meaning. Nothing: that is not known of such a file.
    using Remover = std::function<std::optional<base::Result<std::string>>(const Change& change,
                                                                           const std::string& now)>;
    /// Takes back the changes of a part (`since`: only those from this number on), the last one
    /// first. What somebody else has changed in a file since stays in it. A file that can't be set
    /// right stays as it is, and in the record; with `gives_up` it leaves the record all the same.
    base::Result<std::vector<Undone>> undo(Part part, int since = 0, const Remover& remover = {},
                                           bool gives_up = false);
    /// The number that the next change gets.
    int next() const;

    /// Removes the record, if nothing is in it.
    void close() const;

  private:
    struct Entry {
        Change change;
        std::vector<std::string> folders;  ///< that were made for it, the outermost first
    };

    std::vector<int> numbers() const;
    std::vector<std::string> marks() const;
    std::filesystem::path place(int number) const;
    base::Result<Entry> read(int number) const;
    base::Result<Undone> take_back(const Entry& entry, int number, const Remover& remover);
    base::Result<Undone> take_out_of(const Entry& entry, const std::string& now, int number,
                                     const Remover& remover);

    std::filesystem::path folder_;
};

}  // namespace app
