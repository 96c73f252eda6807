#include "app/check/check_lists.hpp"

#include "app/daemon/list_files.hpp"

#include <fmt/format.h>

namespace app {

void check_lists(Findings& findings, const Config& config) {
    for (const ListFile& file : config.lists) {
        const auto list = read_list(file.path);
        const std::string good = list ? fmt::format("list {}: {} domains, {}", file.path.string(),
                                                    list->size(), queue::to_text(file.makes))
                                      : std::string();
        findings.add(list.has_value(), list ? good : "list " + list.error().text);
    }
}

}  // namespace app
