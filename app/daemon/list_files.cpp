#include "app/daemon/list_files.hpp"

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>

namespace app {

using base::Errc;

base::Result<queue::DomainList> read_list(const std::filesystem::path& file) {
    std::error_code error;
    // Looked at before it is opened: a pipe would never be.
    const bool is_file = std::filesystem::is_regular_file(file, error);
    std::ifstream in;
    if (is_file) in.open(file, std::ios::binary);
    if (!in.is_open()) return base::fail(Errc::io, file.string() + ": can't read this file");
    // One more than may be there, so that it is seen.
    std::string text(queue::DomainList::kBytes + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (in.bad()) return base::fail(Errc::io, file.string() + ": can't read this file");
    text.resize(static_cast<std::size_t>(in.gcount()));
    auto list = queue::DomainList::parse(text);
    if (list) return list;
    return base::fail(list.error().code, file.string() + ":" + list.error().text);
}

std::vector<base::Error> ListFiles::read(const std::vector<ListFile>& files) {
    const auto before = std::exchange(lists_, {});
    std::vector<base::Error> faults;
    for (const ListFile& file : files) {
        const std::string name = file.path.string();
        std::shared_ptr<const queue::DomainList> domains;
        if (auto list = read_list(file.path)) {
            domains = std::make_shared<const queue::DomainList>(std::move(*list));
        } else {
            faults.push_back(list.error());
            // Not as another list: who was trusted would be blocked.
            const auto old = std::ranges::find_if(before, [&](const queue::PeerLists::File& each) {
                return each.name == name && each.makes == file.makes;
            });
            if (old != before.end()) domains = old->domains;
        }
        if (domains) lists_.push_back({file.makes, name, std::move(domains)});
    }
    return faults;
}

}  // namespace app
