#include "app/setup/plan.hpp"

#include "app/setup/ejabberd_edits.hpp"
#include "app/setup/examples.hpp"
#include "app/setup/packetboat_edits.hpp"
#include "app/setup/postfix_edits.hpp"
#include "app/setup/prosody_edits.hpp"

#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

namespace app {
namespace {

namespace fs = std::filesystem;

using Changes = std::vector<Change>;
using Edit = std::function<base::Result<std::string>(const std::string& before)>;

constexpr const char* kEjabberdOptions = "/etc/ejabberd/ejabberdctl.cfg";
constexpr const char* kProsodyModule = "mod_mail_transfer_addresses.lua";
constexpr const char* kProsodyModules = "/usr/local/lib/prosody/modules";

/// Where a link leads.
fs::path real(const fs::path& file) {
    std::error_code error;
    fs::path found = fs::weakly_canonical(file, error);
    return error ? file : found;
}

/// The change of one file, if it changes.
base::Result<void> add_edit(Changes& changes, FileTexts& files, const fs::path& file,
                            const FileOwner& owner, const Edit& edit) {
    const auto before = files.text(file);
    if (!before) return before.error();
    auto after = edit(before->value_or(""));
    if (!after) return after.error();
    if (*after == before->value_or("")) return {};
    Change change;
    change.file = real(file);
    change.owner = owner;
    change.before = *before;
    change.after = std::move(*after);
    changes.push_back(std::move(change));
    return {};
}

/// The same of a file that is all ours: nobody may have put a link there, through which another one
/// would be written.
base::Result<void> add_own(Changes& changes, FileTexts& files, const fs::path& file,
                           const FileOwner& owner, const Edit& edit) {
    std::error_code error;
    const auto type = fs::symlink_status(file, error).type();
    if (type != fs::file_type::not_found && type != fs::file_type::regular) {
        return base::fail(base::Errc::refused,
                          file.string() + ": is there, and is no file; remove it");
    }
    return add_edit(changes, files, file, owner, edit);
}

/// Whether nobody but root can write into the folder, or into the one that it will be made in.
bool is_for_root(fs::path folder) {
    std::error_code error;
    while (!fs::exists(folder, error) && !error && folder.has_parent_path() &&
           folder != folder.parent_path())
        folder = folder.parent_path();
    struct stat state {};
    return ::stat(folder.c_str(), &state) == 0 && state.st_uid == 0 &&
           (state.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// A step of one file.
Step step_of(Part part, std::string reason, fs::path file, FileOwner owner, Edit edit) {
    return {part, std::move(reason),
            [file = std::move(file), owner,
             edit = std::move(edit)](FileTexts& files) -> base::Result<Changes> {
                Changes changes;
                const auto added = add_edit(changes, files, file, owner, edit);
                if (!added) return added.error();
                return changes;
            }};
}

base::Result<Changes> prosody_changes(FileTexts& files, const Survey& found) {
    const ProsodyConfig& prosody = *found.prosody;
    const FileOwner secret{0640, 0, group_of("prosody")};
    std::string folder = prosody.plugin_folder();
    const bool has_folder = !folder.empty();
    if (!has_folder) folder = kProsodyModules;
    if (!is_for_root(folder)) {
        return base::fail(base::Errc::refused,
                          folder +
                              ": others than root can write there, so no module is put into "
                              "it; name a folder of root's first in Prosody's plugin_paths");
    }
    Changes changes;
    auto added = add_own(changes, files, fs::path(folder) / kProsodyModule, {0644, 0, 0},
                         [](const std::string&) -> base::Result<std::string> {
                             return example(std::string("prosody/") + kProsodyModule);
                         });
    if (!added) return added.error();
    added = add_own(changes, files, kProsodyOwnFile, secret,
                    [&](const std::string& before) -> base::Result<std::string> {
                        return prosody_file(prosody, found.site, before, has_folder ? "" : folder);
                    });
    if (!added) return added.error();
    added = add_edit(changes, files, kProsodyFile, secret,
                     [](const std::string& before) -> base::Result<std::string> {
                         return prosody_main(before);
                     });
    if (!added) return added.error();
    return changes;
}

base::Result<Changes> ejabberd_changes(FileTexts& files, const Survey& found) {
    const Site& site = found.site;
    Changes changes;
    auto added = add_own(changes, files, kEjabberdOwnFile, {0640, 0, group_of("ejabberd")},
                         [&](const std::string& before) -> base::Result<std::string> {
                             if (!before.empty()) return before;
                             const auto main = files.text(kEjabberdFile);
                             if (!main) return main.error();
                             return ejabberd_own(*found.ejabberd, main->value_or(""), site);
                         });
    if (!added) return added.error();
    added = add_edit(changes, files, kEjabberdFile, {}, [&](const std::string& before) {
        return ejabberd_main(before, *found.ejabberd, site);
    });
    if (!added) return added.error();
    return changes;
}

base::Result<void> add_main_cf(Changes& changes, FileTexts& files,
                               const std::function<Assignments(const MainCf&)>& decide) {
    const auto master = files.text(kMasterCf);
    if (!master) return master.error();
    return add_edit(changes, files, kMainCf, {},
                    [&](const std::string& main) -> base::Result<std::string> {
                        const auto known = read_main_cf(main, master->value_or(""));
                        if (!known) return known.error();
                        return with_settings(main, decide(*known));
                    });
}

Step main_cf_step(Part part, std::string reason, std::function<Assignments(const MainCf&)> decide) {
    return {part, std::move(reason),
            [decide = std::move(decide)](FileTexts& files) -> base::Result<Changes> {
                Changes changes;
                const auto added = add_main_cf(changes, files, decide);
                if (!added) return added.error();
                return changes;
            }};
}

base::Result<Changes> header_check_changes(FileTexts& files) {
    Changes changes;
    auto added =
        add_own(changes, files, kHeaderChecks, {0644, 0, 0}, [](const std::string& before) {
            return before.empty() ? example("postfix/packetboat-header-checks") : before;
        });
    if (!added) return added.error();
    added = add_main_cf(changes, files, header_check_settings);
    if (!added) return added.error();
    return changes;
}

base::Result<Changes> policy_changes(FileTexts& files, const std::string& service) {
    Changes changes;
    auto added = add_main_cf(changes, files,
                             [&](const MainCf& main) { return policy_settings(main, service); });
    if (!added) return added.error();
    added = add_edit(changes, files, kMasterCf, {},
                     [](const std::string& before) -> base::Result<std::string> {
                         const auto postfix = read_master_cf("", before);
                         if (!postfix) return postfix.error();
                         return with_service_policy(*postfix, before);
                     });
    if (!added) return added.error();
    return changes;
}

void add_postfix_steps(std::vector<Step>& steps) {
    steps.push_back(step_of(
        Part::way_in,
        "The way in: port 2526 takes what Packetboat delivers, trusts nobody and relays nothing; "
        "2527 takes what has to go on by SMTP.",
        kMasterCf, {}, [](const std::string& before) -> base::Result<std::string> {
            const auto postfix = read_master_cf("", before);
            if (!postfix) return postfix.error();
            return with_services(*postfix, before);
        }));
    steps.push_back({Part::way_in,
                     "Without these checks anybody on port 25 can write the field by which you "
                     "know mail that came over XMPP.",
                     header_check_changes});
    steps.push_back(main_cf_step(Part::way_in,
                                 "Bytes stay as they are: Postfix folds long lines, completes "
                                 "header fields of its own clients, and cuts long headers.",
                                 byte_settings));
    steps.push_back(main_cf_step(
        Part::way_out,
        "The way out: the table of domains that take mail over XMPP. All other mail goes as "
        "before.",
        [](const MainCf& main) { return table_settings(main, kOwnTable); }));
    steps.push_back(
        {Part::way_out,
         "Packetboat hears to whom mail goes, finds out who takes it over XMPP, and counts what "
         "each login sends. Mail goes on if it does not answer.",
         [](FileTexts& files) { return policy_changes(files, "inet:127.0.0.1:2426"); }});
}

}  // namespace

base::Result<std::optional<std::string>> FileTexts::text(const fs::path& file) {
    const fs::path place = real(file);
    if (const auto known = texts_.find(place); known != texts_.end()) return known->second;
    auto text = read_file(place);
    if (text) return texts_.emplace(place, std::move(*text)).first->second;
    if (text.error().code != base::Errc::not_found) return text.error();
    return texts_.emplace(place, std::nullopt).first->second;
}

void FileTexts::set(const fs::path& file, std::string text) {
    texts_[real(file)] = std::move(text);
}

std::vector<Step> steps_for(const Survey& found, const SetupOptions& options) {
    const Site& site = found.site;
    std::vector<Step> steps;
    steps.push_back(step_of(Part::packetboat,
                            "Who we are, and what connects to the XMPP server as what.",
                            options.config, {0640, 0, group_of("packetboat")},
                            [&found, site](const std::string&) -> base::Result<std::string> {
                                return packetboat_conf(found.conf, site);
                            }));
    if (site.xmpp == XmppServer::prosody) {
        steps.push_back({Part::xmpp,
                         "Prosody lets Packetboat connect, tells others what it carries, and gives "
                         "mail the speed that it needs.",
                         [&found](FileTexts& files) { return prosody_changes(files, found); }});
    } else {
        steps.push_back(
            {Part::xmpp,
             "ejabberd lets Packetboat connect, tells others what it carries, and calls "
             "peers again at once.",
             [&found](FileTexts& files) { return ejabberd_changes(files, found); }});
        steps.push_back(step_of(
            Part::xmpp,
            "Without nodelay ejabberd holds back what it writes to another server, 40 ms now and "
            "then.",
            kEjabberdOptions, {0644, 0, 0},
            [](const std::string& before) -> base::Result<std::string> {
                return ejabberd_options(before);
            }));
    }
    add_postfix_steps(steps);
    return steps;
}

}  // namespace app
