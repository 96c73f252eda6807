#include "app/setup/record.hpp"

#include "app/servers/program.hpp"
#include "app/setup/private_folder.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <unistd.h>

namespace app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr const char* kPatch = "/usr/bin/patch";
constexpr std::string_view kMark = "mark-";

/// Nobody else reads it.
FileOwner mine() {
    return {0600, ::geteuid(), ::getegid()};
}

base::Error record_failure(const fs::path& file, const std::error_code& error) {
    return base::fail(base::Errc::io, file.string() + ": " + error.message());
}

/// The folders above `file` that are not there, the outermost first.
std::vector<std::string> missing_folders(const fs::path& file) {
    std::vector<std::string> missing;
    std::error_code error;
    for (fs::path folder = file.parent_path(); !fs::exists(folder, error) && !error;
         folder = folder.parent_path())
        missing.insert(missing.begin(), folder.string());
    return missing;
}

base::Result<void> make_folder(const fs::path& folder, fs::perms mode) {
    std::error_code error;
    fs::create_directory(folder, error);
    if (!error) fs::permissions(folder, mode, error);
    if (error) return record_failure(folder, error);
    return {};
}

/// What patch(1) makes of `now` with the change, with these options; none if it does not find its
/// lines.
base::Result<std::optional<std::string>> patched(const Change& change, const std::string& now,
                                                 std::vector<std::string> options) {
    const auto diff = diff_of(change);
    if (!diff) return diff.error();
    const PrivateFolder folder;
    const fs::path& at = folder.path();
    if (at.empty()) return base::fail(base::Errc::io, "no folder can be made for patch(1)");
    for (const auto& [name, text] :
         {std::pair<const char*, std::string>("now", now), std::pair("diff", *diff)}) {
        const auto written = write_file(at / name, text, mine());
        if (!written) return written.error();
    }
    // Forced: it does not guess that a change has been made the other way round.
    options.insert(options.begin(), {kPatch, "--force", "--silent", "--unified", "--reject-file=-",
                                     "--no-backup-if-mismatch"});
    options.insert(options.end(), {"--output=" + (at / "patched").string(), (at / "now").string(),
                                   (at / "diff").string()});
    const auto answer = run_program(options);
    if (!answer) return answer.error();
    if (answer->status != 0) return std::optional<std::string>();
    auto text = read_file(at / "patched");
    if (!text) return text.error();
    return std::optional<std::string>(std::move(*text));
}

FileOwner owner_in(const json::object& said) {
    const auto number = [&](const char* key) {
        const json::value* const found = said.if_contains(key);
        return found != nullptr && found->is_int64() ? found->get_int64() : 0;
    };
    return {static_cast<mode_t>(number("mode")), static_cast<uid_t>(number("user")),
            static_cast<gid_t>(number("group"))};
}

}  // namespace

std::vector<int> Record::numbers() const {
    std::vector<int> found;
    std::error_code error;
    for (fs::directory_iterator each(folder_, error), end; !error && each != end;
         each.increment(error)) {
        const auto number = base::parse_number(each->path().filename().string(), 9999);
        // The description comes last: without it, nothing of the change has been done.
        if (number && fs::exists(each->path() / "change.json", error))
            found.push_back(static_cast<int>(*number));
    }
    std::ranges::sort(found);
    return found;
}

std::vector<std::string> Record::marks() const {
    std::vector<std::string> found;
    std::error_code error;
    for (fs::directory_iterator each(folder_, error), end; !error && each != end;
         each.increment(error)) {
        const std::string name = each->path().filename().string();
        if (name.starts_with(kMark)) found.push_back(name.substr(kMark.size()));
    }
    return found;
}

int Record::next() const {
    const auto known = numbers();
    return known.empty() ? 1 : known.back() + 1;
}

fs::path Record::place(int number) const {
    return folder_ / fmt::format("{:04}", number);
}

base::Result<void> Record::apply(const Change& change) {
    const auto now = read_file(change.file);
    const bool is_there = now || now.error().code != base::Errc::not_found;
    if (is_there && !now) return now.error();
    if (is_there != change.before.has_value() || (is_there && *now != *change.before)) {
        return base::fail(
            base::Errc::conflict,
            change.file.string() + ": somebody has changed it meanwhile; say it again");
    }
    const int number = next();
    const fs::path at = place(number);
    for (const auto& folder : {folder_, at}) {
        const auto made = make_folder(folder, fs::perms::owner_all);
        if (!made) return made.error();
    }
    json::array folders;
    for (const auto& folder : missing_folders(change.file))
        folders.emplace_back(folder);
    const json::object said{{"file", change.file.string()},
                            {"part", static_cast<int>(change.part)},
                            {"existed", change.before.has_value()},
                            {"mode", change.owner.mode},
                            {"user", change.owner.user},
                            {"group", change.owner.group},
                            {"folders", folders}};
    for (const auto& [name, text] :
         {std::pair<const char*, std::string>("before", change.before.value_or("")),
          std::pair<const char*, std::string>("after", change.after),
          std::pair<const char*, std::string>("change.json", json::serialize(said))}) {
        const auto written = write_file(at / name, text, mine());
        if (!written) return written.error();
    }
    for (const auto& folder : folders) {
        const auto made = make_folder(folder.as_string().c_str(), fs::perms(0755));
        if (!made) return made.error();
    }
    return write_file(change.file, change.after,
                      change.before ? std::nullopt : std::optional(change.owner));
}

base::Result<void> Record::mark(const std::string& what) {
    const auto made = make_folder(folder_, fs::perms::owner_all);
    if (!made) return made.error();
    return write_file(folder_ / (std::string(kMark) + what), "", mine());
}

bool Record::has(Part part) const {
    return std::ranges::any_of(numbers(), [&](int number) {
        const auto entry = read(number);
        return !entry || entry->change.part == part;
    });
}

bool Record::has_mark(const std::string& what) const {
    const auto all = marks();
    return std::ranges::find(all, what) != all.end();
}

base::Result<void> Record::remove_mark(const std::string& what) {
    std::error_code error;
    fs::remove(folder_ / (std::string(kMark) + what), error);
    if (error) return record_failure(folder_, error);
    return {};
}

base::Result<Record::Entry> Record::read(int number) const {
    const fs::path at = place(number);
    const auto said = read_file(at / "change.json");
    if (!said) return said.error();
    auto before = read_file(at / "before");
    if (!before) return before.error();
    auto after = read_file(at / "after");
    if (!after) return after.error();
    try {
        const json::object all = json::parse(*said).as_object();
        Entry entry;
        entry.change.file = std::string(all.at("file").as_string());
        entry.change.part = static_cast<Part>(all.at("part").as_int64());
        entry.change.owner = owner_in(all);
        if (all.at("existed").as_bool()) entry.change.before = std::move(*before);
        entry.change.after = std::move(*after);
        for (const auto& folder : all.at("folders").as_array())
            entry.folders.emplace_back(folder.as_string());
        return entry;
    } catch (const std::exception&) {
        return base::fail(base::Errc::damaged, (at / "change.json").string() + " is damaged");
    }
}

/// What somebody has written since is kept, and what setup wrote goes.
base::Result<Record::Undone> Record::take_out_of(const Entry& entry, const std::string& now,
                                                 int number, const Remover& remover) {
    const Change& change = entry.change;
    // Fuzz: what was added at the end of a file may have something behind it by now.
    const auto undone = patched(change, now, {"--reverse", "--fuzz=3"});
    if (!undone) return undone.error();
    std::optional<std::string> text = *undone;
    if (!text && remover) {
        auto removed = remover(change, now);
        if (removed && !*removed) return removed->error();
        if (removed) text = std::move(**removed);
    }
    if (!text) {
        // If it can be made, it has been taken back by hand.
        const auto made = patched(change, now, {});
        if (!made) return made.error();
        if (*made) text = now;
    }
    if (!text) {
        return Undone{change.file,
                      "has been changed since in the same lines, so it stays; set it right by "
                      "hand, as " +
                          (place(number) / "before").string() + " was, and say --force then",
                      true};
    }
    if (*text != now) {
        const auto restored = write_file(change.file, *text, std::nullopt);
        if (!restored) return restored.error();
    }
    return Undone{change.file, "", false};
}

base::Result<Record::Undone> Record::take_back(const Entry& entry, int number,
                                               const Remover& remover) {
    const Change& change = entry.change;
    const auto now = read_file(change.file);
    std::error_code error;
    if (!now && now.error().code == base::Errc::not_found) {
        // Somebody has removed it, and has had a reason.
        if (change.before) return Undone{change.file, "", false};
    } else if (!now) {
        return now.error();
    } else if (change.before && *now == *change.before) {
        // Cut off before it was written, or taken back by hand.
        return Undone{change.file, "", false};
    } else if (change.before && *now == change.after) {
        const auto restored = write_file(change.file, *change.before, std::nullopt);
        if (!restored) return restored.error();
    } else if (change.before) {
        return take_out_of(entry, *now, number, remover);
    } else if (*now == change.after) {
        fs::remove(change.file, error);
        if (error) return record_failure(change.file, error);
    } else {
        // It would go on having its effect; and what somebody has written into it is not lost.
        const fs::path kept = folder_ / fmt::format("kept-{}", change.file.filename().string());
        const auto saved = write_file(kept, *now, mine());
        if (!saved) return saved.error();
        fs::remove(change.file, error);
        if (error) return record_failure(change.file, error);
        return Undone{change.file, "had changes of yours; it is now " + kept.string(), false};
    }
    auto folders = entry.folders;
    std::ranges::reverse(folders);
    for (const auto& folder : folders)
        fs::remove(folder, error);  // If something else is in it, it stays.
    return Undone{change.file, "", false};
}

base::Result<std::vector<Record::Undone>> Record::undo(Part part, int since, const Remover& remover,
                                                       bool gives_up) {
    std::vector<Undone> all;
    auto known = numbers();
    std::ranges::reverse(known);
    for (const int number : known) {
        if (number < since) break;
        const auto entry = read(number);
        if (!entry) return entry.error();
        if (entry->change.part != part) continue;
        auto undone = take_back(*entry, number, remover);
        if (!undone) return undone.error();
        std::error_code error;
        if (!undone->is_stuck || gives_up) fs::remove_all(place(number), error);
        if (error) return record_failure(place(number), error);
        all.push_back(std::move(*undone));
    }
    return all;
}

void Record::close() const {
    std::error_code ignored;
    if (is_empty()) fs::remove(folder_, ignored);  // What is kept for somebody stays in it.
}

}  // namespace app
